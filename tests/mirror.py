"""A mirror of a service, made from nothing but its feed of changes."""

from typing import Any

from service.domain.access import Role
from service.store.database import Database
from service.work import past
from tests.harness import Service

Json = dict[str, Any]


class Mirror:
    """Follows the feed as one role is shown it, and keeps the newest content of everything."""

    def __init__(self, role: Role = Role.ANONYMOUS) -> None:
        self.role = role
        self.after = 0
        self.items: list[Json] = []
        self._contents: past.Contents = {}

    def follow(self, service: Service, limit: int = 500) -> None:
        """Read what is new, page by page."""
        while True:
            page = service.get("/v1/changes", self.role, after=self.after, limit=limit)
            if not page["items"]:
                return
            assert [item["position"] for item in page["items"]] == list(
                range(self.after, page["next"])
            )
            self.after = page["next"]
            for item in page["items"]:
                self.items.append(item)
                self._take(item)

    def _take(self, item: Json) -> None:
        match item["action"]:
            case "hidden":
                return
            case "withheld":
                self._contents.get(item["kind"], {}).pop(item["subject"], None)
                return
        told = self._contents.setdefault(item["kind"], {})
        told[item["subject"]] = past.Newest(item["revision"], item["content"])
        for incident in item.get("incidents") or ():
            recorded = dict(incident)
            self._contents.setdefault("incident", {})[recorded.pop("id")] = past.Newest(0, recorded)

    def fill(self, url: str) -> None:
        """Put what is known into an empty database."""
        rows = {kind: self._contents[kind] for kind in self._contents if kind != "grouping"}
        database = Database(url, foreign_keys=False)
        database.write(lambda session: past.fill(session, rows))
        database.close()
