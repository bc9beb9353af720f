"""A small app for the host's tests: says in a file what was called, and does what its messages ask.

With an app setting BUS it has queue triggers too. A message is a JSON object: `until` is a file whose
appearing ends the handler, `seconds` is how long it takes, `fails` is how many deliveries end in an exception.
"""

import asyncio
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


def note(**what):
    """One line in one write, so that a killed host leaves no half of it."""
    what["at"] = datetime.now(UTC).timestamp()  # noqa: TID251 - an app on its own
    with Path(os.environ["NOTES"]).open("a") as file:
        file.write(json.dumps(what) + "\n")


async def until(file):
    """The test's gate is a file: it opens from another process, which no Event of ours can see."""
    while not os.path.exists(file):  # noqa: ASYNC110, ASYNC240, PTH110
        await asyncio.sleep(0.01)


def told(message):
    return {
        "id": message.message_id,
        "count": message.delivery_count,
        "body": message.get_body().decode(),
        "properties": message.application_properties,
        "deadLetterReason": message.dead_letter_reason,
    }


@app.timer_trigger(arg_name="timer", schedule="%TICK%", run_on_startup=False)
async def tick(timer: func.TimerRequest) -> None:
    note(function="tick", event="ran", past_due=timer.past_due)
    if file := os.environ.get("TICK_UNTIL"):
        await until(file)
        note(function="tick", event="ended")


@app.route(route="hello/{name}/{times:int?}", methods=["GET", "POST"])
def hello(req: func.HttpRequest) -> func.HttpResponse:
    name, times = req.route_params["name"], req.route_params.get("times")
    answer = {
        "name": name,
        "times": times,
        "q": req.params.get("q"),
        "body": req.get_body().decode(),
    }
    return func.HttpResponse(json.dumps(answer), status_code=201, mimetype="application/json")


@app.route(route="open", auth_level=func.AuthLevel.ANONYMOUS)
async def open_to_all(req: func.HttpRequest) -> str:
    return "come in"


@app.route(route="broken", auth_level=func.AuthLevel.ANONYMOUS)
async def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("as the route says")


bp = func.Blueprint()


@bp.service_bus_queue_trigger(arg_name="message", queue_name="%QUEUE%", connection="BUS")
async def work(message: func.ServiceBusMessage, context: func.Context) -> None:
    asked = json.loads(message.get_body())
    note(function="work", event="began", name=context.function_name, **told(message))
    try:
        await asyncio.sleep(asked.get("seconds", 0))
        if "until" in asked:
            await until(asked["until"])
    except asyncio.CancelledError:
        note(function="work", event="cancelled", id=message.message_id)
        raise
    if message.delivery_count <= asked.get("fails", 0):
        raise RuntimeError("as the message asks")
    note(function="work", event="ended", id=message.message_id)


@bp.service_bus_queue_trigger(
    arg_name="message", queue_name="%QUEUE%/$deadletterqueue", connection="BUS"
)
async def dead(message: func.ServiceBusMessage) -> None:
    note(function="dead", event="began", **told(message))


@bp.service_bus_queue_trigger(arg_name="message", queue_name="%QUEUE%-sync", connection="BUS")
def work_in_thread(message: func.ServiceBusMessage) -> None:
    asked = json.loads(message.get_body())
    note(function="work_in_thread", event="began", **told(message))
    while not os.path.exists(asked["until"]):  # noqa: PTH110
        time.sleep(0.01)  # noqa: TID251 - a sync function blocks its thread
    note(function="work_in_thread", event="ended", id=message.message_id)


if "BUS" in os.environ:
    app.register_functions(bp)
