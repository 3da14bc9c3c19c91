"""What is on a board's flash, for the tests of deployments."""

from mpos_host.board.device import Device


def tree(device: Device) -> dict[str, int]:
    """The files on the device with their sizes."""
    device.exec(
        "import os\n"
        "def tree(folder):\n"
        " found = {}\n"
        " for entry in os.ilistdir(folder):\n"
        "  path = folder + '/' + entry[0]\n"
        "  if entry[1] == 0x4000: found.update(tree(path))\n"
        "  else: found[path] = entry[3]\n"
        " return found\n"
    )
    return device.eval("tree('')")
