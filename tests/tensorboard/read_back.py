"""Reads a log of `traceur generate --log` as TensorBoard does, and compares it with what the program reported.

Usage: read_back.py LOG_FOLDER REPORT.json STEPS
"""

import io
import json
import struct
import sys
import zlib

from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator
from tensorboard.plugins.hparams import plugin_data_pb2

folder, report, steps = sys.argv[1], json.load(open(sys.argv[2])), int(sys.argv[3])
events = event_accumulator.EventAccumulator(
    folder, size_guidance={"scalars": 0, "images": 0, "tensors": 0}
)
events.Reload()
tags = events.Tags()

# Every term of the loss, and their sum.
scalars = {tag: events.Scalars(tag) for tag in tags["scalars"]}
for tag in ["excitation", "white", "ink", "rate_px", "loss/total", "loss/overlap", "loss/ink"]:
    assert [event.step for event in scalars[tag]] == list(range(1, steps + 1)), tag
terms = [tag for tag in scalars if tag.startswith("loss/") and tag != "loss/total"]
for index, total in enumerate(scalars["loss/total"]):
    terms_sum = sum(scalars[tag][index].value for tag in terms)
    assert abs(terms_sum - total.value) < 1e-3 + 1e-4 * abs(total.value), (index, terms_sum, total.value)
assert all(a.wall_time <= b.wall_time for a, b in zip(scalars["white"], scalars["white"][1:]))
final = scalars["final/excitation"][-1]
assert final.step == steps and abs(final.value - report["excitation"]["tuned"]) < 1e-4
assert abs(scalars["final/white"][-1].value - report["white"]) < 1e-6


def png_size(data):
    """Width and height, with the checksum of every chunk."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    stream, size, kind = io.BytesIO(data[8:]), None, None
    while kind != b"IEND":
        length, kind = struct.unpack(">I4s", stream.read(8))
        body = stream.read(length)
        assert zlib.crc32(kind + body) == struct.unpack(">I", stream.read(4))[0]
        if kind == b"IHDR":
            size = struct.unpack(">II", body[:8])
    return size


assert sorted(tags["images"]) == ["drawing", "final"], tags["images"]
pictures = events.Images("drawing")
assert pictures[0].step == 1 and pictures[-1].step == steps and len(pictures) > 3
for picture in pictures + events.Images("final"):
    assert png_size(picture.encoded_image_string) == (picture.width, picture.height)

# The text and the parameters, as the plugins look for them.
text = events.Tensors("recipe/text_summary")[0].tensor_proto.string_val[0].decode()
assert "lite0:b4:11" in text and "```" in text, text
plugins = plugin_event_accumulator.EventAccumulator(folder)
plugins.Reload()
hparams = plugins.PluginTagToContent("hparams")


def content(tag):
    return plugin_data_pb2.HParamsPluginData.FromString(hparams[tag])


session = content("_hparams_/session_start_info").session_start_info
assert session.hparams["seed"].number_value == 3
assert session.hparams["pens"].string_value == "black"
experiment = content("_hparams_/experiment").experiment
assert {info.name for info in experiment.hparam_infos} == set(session.hparams)
assert [info.name.tag for info in experiment.metric_infos][0] == "final/excitation"
end = content("_hparams_/session_end_info").session_end_info
assert end.status == 1 and end.end_time_secs >= session.start_time_secs > 0
assert set(plugins.PluginTagToContent("scalars")) >= {"excitation", "loss/total"}
assert set(plugins.PluginTagToContent("images")) == {"drawing", "final"}
assert set(plugins.PluginTagToContent("text")) == {"recipe/text_summary"}
print(f"TensorBoard reads {len(scalars)} scalars of {steps} steps, {len(pictures)} pictures, "
      f"{len(session.hparams)} parameters and the recipe")
