#!/usr/bin/env bash
# The same bits everywhere: what the fixed-point plan scores does not depend on the CPU, its instructions or the build.
#
#   tests/same-bits/run.sh BIN [--frames N] [--emulated N] [--debug BIN] [--aarch64 BIN] [--models DIR...] [--only LEG,...]
#
# BIN is a release build (default: target/release/hairpin). --frames: simulated frames for the first network, a fifth of
# them for each other one (default 300; the campaign is 10000). --emulated: at most so many frames of a recording on the
# emulated CPUs and in the debug build, which are slower, an emulator 50 times (default: 60 in a run of less than 1000
# frames, else all). --debug: a debug build of the same commit. --aarch64: what deploy/aarch64.sh built. --models: model folders, imported or not, the first of them
# first; default: the networks in ../shared/data, where it is, else full-size ones with drawn weights (network.py).
# --only: these legs alone; the first is the reference.
#
#  1 networks  imported here once; always with them: the bundled one, and one whose sizes fill no vector
#  2 frames    decided here once with the car's instructions: simulated drives on all tracks, in all looks, with faults;
#              real frames and AWS's own where ../shared/data is, through JPEG and (golden .npy) straight into the network
#  3 controls  another weight, another arithmetic, a flipped bit: each must be noticed
#  4 legs      every recording replayed on every leg: `replay --expect` compares scores and everything after them as bits
#              (exit 0 and "0 differing bits"), compare.py counts the bits once more; each leg must name the instructions
#              that it is there for, so that none passes by running another's
#  5 f32       a drive decided in f32 with the car's kernels: the same with AVX hidden and on the emulated Atom
#
# Not here: LiDAR vectors from files (benches feed drawn ones), speed. The emulator is qemu-user-static, installed where it
# can be on Debian and Ubuntu (as root, or with sudo that asks no password).
# Exit: 0 the same everywhere, 1 not, 2 usage, 77 the same on all legs but those that cannot be had here (the table says why).
# shellcheck disable=SC2034 # legs.sh reads some of its variables
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
usage() { sed -n 's/^#   \(tests.*\)/usage: \1/p' "${BASH_SOURCE[0]}" >&2; exit 2; }
fail() { echo "same-bits FAILED: $*" >&2; exit 1; }

binary='' frames=300 emulated='' debug='' arm='' only='' models=()
while (($# > 0)); do
    case $1 in
        --frames | --emulated) [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || usage; declare "${1#--}=$2"; shift 2 ;;
        --debug) debug=$(realpath "${2:?--debug wants a program}"); shift 2 ;;
        --aarch64) arm=$(realpath "${2:?--aarch64 wants a program}"); shift 2 ;;
        --only) only=,${2:?--only wants legs},; shift 2 ;;
        --models)
            shift
            while (($# > 0)) && [[ $1 != --* ]]; do models+=("$(realpath "$1")"); shift; done
            ;;
        --*) usage ;;
        *) [[ -z $binary ]] || usage; binary=$1; shift ;;
    esac
done
binary=$(realpath -m "${binary:-${CARGO_TARGET_DIR:-$root/target}/release/hairpin}")
for program in "$binary" ${debug:+"$debug"} ${arm:+"$arm"}; do [[ -x $program ]] || fail "no program at $program"; done
((frames >= 1000)) || emulated=${emulated:-60}
shared=$root/../shared/data
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" # settings of the folder that this was started in do not count
printf '[camera]\nwidth = 160\nheight = 120\n' >settings.toml
TIMEFORMAT='%U %S'
settings=(--config settings.toml)
unset TRACT_CPU_ISA # as a user has it

cpu=0 # hundredths of a second of the last command, and of all
total=0
timed() { # a command: its words in said and told
    local rc=0
    { time "$@" >said 2>told || rc=$?; } 2>spent
    cpu=$(tail -n 1 spent | awk '{ printf "%d", 100 * ($1 + $2) }')
    total=$((total + cpu))
    return "$rc"
}
must() { timed "$@" || { cat told said >&2; fail "ended with an error: $*"; }; }
seconds() { awk -v n="$1" 'BEGIN { printf "%.1f", n / 100 }'; }

# 1
names=()
declare -A model cameras
network() { # NAME, folder or file
    if [[ -e $2/model.fixed ]]; then model[$1]=$2; else
        must "$binary" import "$2" --name "$1" --models networks
        model[$1]=$work/networks/$1
    fi
    cameras[$1]=$(grep -q STEREO_CAMERAS "${model[$1]}/model_metadata.json" && echo 2 || echo 1)
    if [[ -e ${model[$1]}/model.fixed ]]; then
        echo "network    $1, fixed point $(sed -n '/^\[fixed_point\]/,$s/^sha256 = "\(.\{12\}\).*/\1/p' "${model[$1]}/model.toml")"
        names+=("$1")
    else
        echo "left out   $1: its import made no fixed-point plan: $(grep -m1 -h 'no fixed-point plan' told said | cut -d: -f2-)"
    fi
}
drawn() { # NAME [--change]
    must python3 -B "$here/network.py" "${1%2}" "drawn/$1" "${@:2}"
    network "$1" "drawn/$1/model.onnx"
}
if ((${#models[@]} == 0)); then
    for folder in "$shared"/models/graph-*; do [[ -e $folder/model.pb ]] && models+=("$folder"); done
fi
for folder in "${models[@]}"; do
    name=$(basename "$folder")
    if [[ -e $folder/model.pb && ! -e $folder/model.toml ]]; then folder=$folder/model.pb; fi
    network "${name#graph-}" "$folder"
done
if ((${#models[@]} == 0)); then
    echo "left out   networks of ../shared/data: it is absent here; ones of their size with drawn weights instead"
    drawn shallow
fi
drawn deep
network bundled "$root/models/line-follower/model.pb"
drawn odd
first=${names[0]}
[[ $first != odd && ${names[-1]} == odd ]] || fail "the drawn networks have no fixed-point plan"

# 2
sets=() # NAME|model|FILE, a tape with decisions or a NumPy file
precision='' cut=''
((frames >= 1000)) || cut=$(((frames + 14) / 15)) # a short run takes the beginning of each recording
picture() { # NAME, model, FILE, "fill" where it lacks sensors
    must "$binary" replay "$3" --model "${model[$2]}" --record "$1.mcap" ${4:+--fill-sensors} ${cut:+--ticks "$cut"} "${settings[@]}"
    sets+=("$1|$2|$1.mcap")
}
drive() { # model, FRAMES, track, look, seed, fault
    local name=$1-$3-$4-$5 rc=0
    timed "$binary" run --rig sim --model "${model[$1]}" --record "$name.mcap" --seconds $((($2 + 34) / 30)) --laps 1000 \
        --track "$3" --look "$4" --seed "$5" ${6:+--fault "$6"} ${precision:+--precision "$precision"} "${settings[@]}" || rc=$?
    # It ends with 1 where it ran out of time before a thousand laps, as it does.
    if ((rc > 1)) || ! grep -q "laps\? within" told; then cat told said >&2; fail "the drive $name ended with $rc"; fi
    sets+=("$name|$1|$name.mcap")
}
worlds=( # track, look, seed, fault
    "oval drawn 1" "hairpin training 2" "chicane hall 3" "bean drawn 4 noise:2"
    "oval training 5 darken:1" "hairpin hall 6 spikes:2" "chicane drawn 7 drop:1" "bean training 8"
)
began=0
drives() { # model, FRAMES in all: fewer worlds where there are few frames, and not always the same
    local number count=1 track look seed fault
    (($2 < 200)) || count=2
    (($2 < 1000)) || count=8
    for ((number = 0; number < count; number++)); do
        read -r track look seed fault <<<"${worlds[(began + number) % ${#worlds[@]}]}"
        drive "$1" $((($2 + count - 1) / count)) "$track" "$look" "$seed" "$fault"
    done
    ((count == 8)) || began=$((began + count))
}
golden() { # NAME, model, CHANNELS, FILES...
    local count
    count=$(python3 -B "$here/frames.py" "$3" "$1.npy" "${cut:-0}" "${@:4}") || fail "no inputs in ${*:4}"
    sets+=("$1|$2|$1.npy")
    echo "frames     $1: $count, straight into the network"
}
for name in "${names[@]}"; do
    share=$((frames / 5))
    [[ $name != "$first" ]] || share=$frames
    drives "$name" "$share"
done
echo "frames     ${#sets[@]} simulated drives"
recordings=$shared/recordings observations=$shared/recordings/aws-model-validation-observations
if [[ -d $shared ]]; then
    must "$binary" import "$recordings/real-car-deepracer-160x120-larsll/frames" -o real.mcap
    must "$binary" import "$recordings/donkeycar-tub-v2-160x120/tub" -o tub.mcap
    mkdir -p front stereo/left stereo/right
    cp "$observations"/front*.ch0.png front
    for eye in 0:left 1:right; do
        for file in "$observations"/stereo*.ch"${eye%:*}".png; do cp "$file" "stereo/${eye#*:}/$(basename "$file" ".ch${eye%:*}.png").png"; done
    done
    must "$binary" import front -o front.mcap
    must "$binary" import stereo -o stereo.mcap
    for name in "${names[@]}"; do
        [[ -z $cut || $name == "$first" ]] || ((cameras[$name] == 2)) || continue
        if ((cameras[$name] == 2)); then
            picture "$name-aws" "$name" stereo.mcap fill
            picture "$name-real" "$name" real.mcap fill
            golden "$name-golden" "$name" 2 "$shared/golden/inputs_stereo_u8.npy" "$observations"/stereo*STEREO_CAMERAS.npy
        else
            picture "$name-aws" "$name" front.mcap
            picture "$name-real" "$name" real.mcap
            [[ $name != "$first" ]] || picture "$name-tub" "$name" tub.mcap
            golden "$name-golden" "$name" 1 "$shared/golden/inputs_real_larsll_gray_u8.npy" "$observations"/front*CAMERA.npy
        fi
    done
else
    echo "left out   real frames, AWS's observations, golden inputs: ../shared/data is absent here"
fi

# shellcheck source-path=SCRIPTDIR source=legs.sh
source "$here/legs.sh"
