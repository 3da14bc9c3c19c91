"""Which port a board is at, from what the operating system lists."""

import pytest

from mpos_host import project
from mpos_host.board import ports as boards
from mpos_host.board.ports import Port
from mpos_host.project import UserError

WAVESHARE = project.load_board("waveshare_esp32_s3_touch_lcd_2")

S3 = Port("/dev/ttyACM0", "303a:1001", "F4:12:FA:00:00:01", "1-3", "USB JTAG/serial debug unit")
S3_TOO = Port("/dev/ttyACM1", "303a:4001", "F4:12:FA:00:00:02", "1-4", "Espressif Device")
MODEM = Port("/dev/ttyACM2", "12d1:1001", "", "1-5", "HUAWEI Mobile")


def test_the_only_port_with_the_boards_usb_id_is_taken():
    assert boards.find_port(WAVESHARE, [MODEM, S3]) == S3


def test_without_one_it_says_what_there_is():
    with pytest.raises(UserError, match=r"no waveshare.* is plugged in.*/dev/ttyACM2 \(12d1:1001 HUAWEI"):
        boards.find_port(WAVESHARE, [MODEM])
    with pytest.raises(UserError, match="there is: nothing"):
        boards.find_port(WAVESHARE, [])


def test_with_several_it_asks_or_says_what_to_choose_from():
    with pytest.raises(UserError, match="say --port /dev/ttyACM0 or --port /dev/ttyACM1"):
        boards.find_port(WAVESHARE, [S3, MODEM, S3_TOO])
    assert boards.find_port(WAVESHARE, [S3, MODEM, S3_TOO], ask=lambda ports: ports[1]) == S3_TOO


def test_a_board_that_is_a_process_has_no_usb_port():
    with pytest.raises(UserError, match="virtual has no USB port"):
        boards.find_port(project.load_board("virtual"), [S3])


def test_a_board_is_found_again_under_another_name_and_id():
    boot_loader = Port("/dev/ttyACM5", "303a:1001", S3_TOO.serial_number, "1-4", "USB JTAG/serial debug unit")
    listings = iter([[S3], [S3], [S3, boot_loader]])
    assert boards.find_again(S3_TOO, 5, lambda: next(listings), pause=0) == boot_loader


def test_a_board_without_a_number_is_known_by_its_socket():
    before = Port("/dev/ttyUSB0", "1a86:7523", "", "3-1", "USB Serial")
    after = Port("/dev/ttyUSB1", "1a86:7523", "", "3-1", "USB Serial")
    assert boards.find_again(before, 1, lambda: [S3, after]) == after


def test_what_a_port_is_known_by_goes_from_one_step_to_the_next():
    known = Port.known_as(S3.device, S3.identity)
    assert boards.find_again(known, 1, lambda: [MODEM, S3]) == S3
    no_usb = Port.known_as("/dev/pts/3", "")
    assert no_usb.identity == "@"


def test_a_board_that_does_not_come_back_is_named():
    with pytest.raises(UserError, match="the board at /dev/ttyACM1 did not come back: waited 0 s"):
        boards.find_again(S3_TOO, 0, lambda: [S3])


def test_the_boards_behind_a_usb_id():
    assert "waveshare_esp32_s3_touch_lcd_2" in boards.names_for(S3)
    assert boards.names_for(MODEM) == []


def test_listing_the_ports_of_this_machine_works():
    assert all(isinstance(port, Port) for port in boards.connected())
