"""`./baton doctor`: looks at everything that Baton needs, from where it runs, and names what is missing."""
