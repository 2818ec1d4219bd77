"""`GET /v1/availability`: what a channel may sell, for several products at once."""

from __future__ import annotations

from typing import Annotated

import msgspec

from tillbridge.app.api.problems import refusal
from tillbridge.app.api.questions import Question
from tillbridge.app.api.resources import Resources
from tillbridge.app.api.routes import Call
from tillbridge.inbox.answers import Answer, answer

PRODUCTS_MOST = 100
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class AvailabilityQuery(msgspec.Struct, frozen=True):
    """product: one or more. location: where; by default where the channel is served from."""

    product: Annotated[list[Code], msgspec.Meta(min_length=1, max_length=PRODUCTS_MOST)]
    location: Annotated[list[Code], msgspec.Meta(max_length=PRODUCTS_MOST)] = []


async def tell_availability(resources: Resources, call: Call) -> Answer:
    """Answer `GET /v1/availability`."""
    query: AvailabilityQuery = call.query
    places = tuple(query.location) or resources.places_of(call.who.channel)
    if unknown := resources.unknown_place(places):
        return refusal("location-unknown", f"There is no location {unknown}.", location=unknown)
    question = Question(call.who.channel, tuple(query.product), places)
    return answer(200, await resources.reads.submit(question))
