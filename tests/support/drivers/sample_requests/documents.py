"""Sample requests of the files of a chart."""

from typing import Any

from practice.people.models.clients import Document
from practice.store.ids import new_id
from tests.support.builders.schedule import put
from tests.support.drivers.operations import SampleRequest, World, send_reason

READERS = {"admin", "supervisor", "clinician", "scheduler", "biller", "client"}
WRITERS = {"admin", "supervisor", "clinician", "scheduler"}


def pick_chart(world: World, _role: str | None) -> dict[str, Any]:
    return {"client_id": world.client_id}


def make_document(world: World, _role: str | None) -> dict[str, Any]:
    document = Document(
        id=new_id(),
        client_id=world.client_id,
        kind="OTHER",
        name="letter.txt",
        media_type="text/plain",
        size=6,
        sha256=new_id().bytes,
        uploaded_at=world.practice.now,
    )
    with world.practice.work() as work:
        document.content = work.seal("documents", "content", document.id, "bGV0dGVy")
    put(world.practice, document)
    return {"client_id": world.client_id, "document_id": document.id}


def build_file(_world: World, _role: str | None) -> dict[str, Any]:
    return {"file": ("letter.txt", f"A letter {new_id()}".encode(), "text/plain"), "kind": (None, "OTHER")}


SAMPLE_REQUESTS = {
    "list_documents": SampleRequest(READERS, pick_chart),
    "add_document": SampleRequest(WRITERS, pick_chart, build_file, sent_as="files"),
    "get_document": SampleRequest(READERS, make_document),
    "change_document": SampleRequest(
        WRITERS, make_document, lambda _world, _role: {"kind": "INSURANCE"}, ("documents", "document_id")
    ),
    "get_document_content": SampleRequest(READERS, make_document),
    "void_document": SampleRequest(WRITERS, make_document, body=send_reason),
}
