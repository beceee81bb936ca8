"""ZIPs with names and records that zipfile does not write."""
import io
import struct
import zipfile
import zlib

from tests.drawing import zipped

END = b"PK\x05\x06"


def zip_of_raw_names(members: dict[bytes, bytes]) -> bytes:
    """Names as these bytes, without the flag that says that they are UTF-8."""
    stand_ins = {chr(ord("A") + number) * len(name): name for number, name in enumerate(members)}
    data = zipped(dict(zip(stand_ins, members.values(), strict=True)))
    for stand_in, name in stand_ins.items():
        data = data.replace(stand_in.encode(), name)
    return data


def zip_with_extra(members: dict[str, bytes], extra: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name)
            info.extra = extra
            archive.writestr(info, data)
    return buffer.getvalue()


def unicode_path(name: str, raw: bytes, version: int = 1) -> bytes:
    """The extra field 0x7075, which says that `raw` means `name`."""
    content = struct.pack("<BL", version, zlib.crc32(raw)) + name.encode("utf-8", "surrogatepass")
    return struct.pack("<HH", 0x7075, len(content)) + content


def with_comment(data: bytes, comment: bytes) -> bytes:
    """The same archive; its end record says how long the comment is."""
    return data[:-2] + struct.pack("<H", len(comment)) + comment


def with_table_of(data: bytes, kept: int) -> bytes:
    """The same members, but a table of contents that names the last `kept` only."""
    table, end = data.index(b"PK\x01\x02"), data.rindex(END)
    entries = data[table:end].split(b"PK\x01\x02")[1:]
    entries = entries[len(entries) - kept:]
    shorter = b"".join(b"PK\x01\x02" + entry for entry in entries)
    record = struct.pack("<4s4H2LH", END, 0, 0, kept, kept, len(shorter), table, 0)
    return data[:table] + shorter + record
