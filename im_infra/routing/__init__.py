"""Who is where: a user's connections, and the gateways interested in a large conversation.

It owns the two tables in the shared cache and their times to live; it never decides who may connect or be kicked.
Everything here can be published again by the gateways, and is when the cache's epoch changes; until a gateway has done
so, frames go to it by user.
"""

from im_infra.routing.interests import InterestTable
from im_infra.routing.publications import Publications
from im_infra.routing.routes import RouteTable

__all__ = ["InterestTable", "Publications", "RouteTable"]
