"""tracery-cli devices."""

from harness import case, main, ok, ok_json


@case("the processor is always there, and exactly one device is taken by auto")
def listed():
    devices = ok_json("devices")["devices"]
    cpu = [device for device in devices if device["spec"] == "cpu"]
    assert len(cpu) == 1 and cpu[0]["kind"] == "cpu", devices
    assert len([device for device in devices if device["auto"]]) == 1, devices
    assert not any(device["auto"] and device["kind"] == "software-gpu" for device in devices)
    for device in devices:
        assert set(device) == {"spec", "name", "kind", "memory_bytes", "auto", "usable",
                               "note"}, device
        assert device["auto"] == (device["note"] is None), device


@case("the table names every device of the JSON")
def table():
    text = ok("devices").out
    for device in ok_json("devices")["devices"]:
        assert device["spec"] in text and device["name"] in text, text


@case("a missing Vulkan driver leaves the processor")
def without_vulkan():
    devices = ok_json("devices", env={"VK_ICD_FILENAMES": "/nonexistent.json",
                                      "VK_DRIVER_FILES": "/nonexistent.json"})["devices"]
    assert [device["spec"] for device in devices] == ["cpu"], devices


main()
