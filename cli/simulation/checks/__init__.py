"""The promises, checked after every fact. Nothing here knows the app: what it cannot see, it cannot excuse."""
