"""What Resource Manager checks before it passes a request on, in ARM's order."""

from simulator.arm import errors
from simulator.arm.call import Answer, Call, is_api_version, scale_set_key, vm_key
from simulator.arm.cloud import Cloud
from simulator.arm.errors import ArmError
from simulator.arm.records import SubscriptionRecord
from simulator.arm.routes import Match, Route
from simulator.arm.throttle import Charge


def answer(cloud: Cloud, call: Call, match: Match | None, *, is_authenticated: bool) -> Answer:
    """The answer to a request, be it an error.

    ``match`` is what ``routes.find`` made of it; the cloud has caught up with ``call.now``.
    """
    headers: dict[str, str] = {}
    try:
        if not is_authenticated:
            raise errors.unauthenticated()
        route = _checked(call, match)
        subscription = _subscription(cloud, call)
        if subscription is not None:
            _fail(subscription, route, call)
            headers = cloud.throttle.take(_charge(cloud, route, call), call.now)
        given = route.handler(cloud, call)
    except ArmError as error:
        return Answer(error.status, error.body(), {**headers, **error.headers})
    return Answer(given.status, given.body, {**headers, **given.headers})


def delay_seconds(cloud: Cloud, match: Match | None) -> float:
    """How long a slow subscription keeps a request waiting before anyone looks at it."""
    subscription = match.params.get("subscription", "") if match else ""
    record = cloud.subscriptions.get(subscription.lower())
    if record is None or record.fault.kind != "slow":
        return 0.0
    return record.fault.delay.total_seconds()


def _checked(call: Call, match: Match | None) -> Route:
    version = call.query.get("api-version", "")
    if not version:
        raise errors.missing_api_version()
    if not is_api_version(version):
        raise errors.invalid_api_version(version)
    if match is None:
        raise errors.unknown_route(call.path)
    if match.route is None:
        raise errors.method_not_allowed(call.method)
    return match.route


def _subscription(cloud: Cloud, call: Call) -> SubscriptionRecord | None:
    if "subscription" not in call.params:
        return None
    record = cloud.subscriptions.get(call.params["subscription"].lower())
    if record is None:
        raise errors.subscription_not_found(call.params["subscription"])
    return record


def _fail(subscription: SubscriptionRecord, route: Route, call: Call) -> None:
    kind = subscription.fault.kind
    if kind == "forbidden" or route.action.lower() in subscription.denied:
        scope = call.path if "group" in call.params else f"/subscriptions/{subscription.id}"
        raise errors.forbidden(route.action, scope)
    match kind:
        case "disabled" if call.method != "GET":
            raise errors.subscription_disabled(subscription.id)
        case "throttled":
            asked = "read" if call.method == "GET" else "write"
            wait = subscription.fault.delay.total_seconds()
            raise errors.subscription_throttled(subscription.id, asked, wait)
        case "unavailable":
            raise errors.unavailable()
        case "page2" if "$skiptoken" in call.query:
            raise errors.internal()
        case _:
            return


def _charge(cloud: Cloud, route: Route, call: Call) -> Charge:
    params, region = call.params, call.params.get("location", "")
    resource = vm_key(params) or scale_set_key(params)
    if vm := cloud.vms.get(resource):
        region = vm.spec.location
    elif scale_set := cloud.scale_sets.get(resource):
        region = scale_set.location
    elif operation := cloud.operations.get(params.get("operation", "").lower()):
        resource = operation.vm.lower()
    return Charge(
        subscription=params["subscription"].lower(),
        region=region.lower(),
        resource=resource,
        policy=route.policy,
        is_write=route.method != "GET",
    )
