"""One item a line, as the list has it: nothing else is in the file, so lines are items."""

import orjson

from service.formats.exports.writing import Content, Sink


class Ndjson:
    """JSON values parted by line feeds, in UTF-8."""

    media = "application/x-ndjson"
    suffix = "ndjson"
    whole = True
    tagged = False

    def write(self, sink: Sink, content: Content) -> None:
        for items in content.chunks:
            lines = [orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE) for item in items]
            sink.write(b"".join(lines))
