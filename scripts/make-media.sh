#!/usr/bin/env bash
# npm run media: makes the sample content (demo/media/) and the tests' fixtures (test/fixtures/media/, test/fixtures/formats/), nothing but ffmpeg's own sources in it.
# Needs ffmpeg 5 or later with libx264, the DejaVu fonts and fontTools (Debian: ffmpeg, fonts-dejavu-core, python3-fonttools). Takes about two minutes.
#
#   demo/media/lesson/        HLS VOD, 64 s, segments of 4 s, three renditions (H.264 + AAC in MPEG-TS), keyframes aligned
#   demo/media/map.png        an island, from five octaves of value noise
#   demo/media/animation.gif  a round flight over the island
#   demo/media/clip.mp4       12 s of the same with sound, index in front (fast start)
#   test/fixtures/media/      the same in small: HLS of 24 s with segments of 2 s; each of its top segments has three blocks of 64 KiB
#   test/fixtures/media/square.ttf  a font whose letters are squares
#   test/fixtures/formats/    8 s in segments of 2 s of two blocks, each kind of stream once:
#     encrypted/   AES-128, the key beside it
#     ranges/      MPEG-TS, one file in byte ranges
#     fragmented/  MP4, one file in byte ranges, the initialization segment too
#     languages/   MP4 with two sound tracks and subtitles
set -euo pipefail
cd "$(dirname "$0")/.."

FONTS=/usr/share/fonts/truetype/dejavu
BOLD=$FONTS/DejaVuSans-Bold.ttf
MONO=$FONTS/DejaVuSansMono-Bold.ttf
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
DEMO=$WORK/demo/media
FIXTURE=$WORK/test/fixtures/media
FORMATS=$WORK/test/fixtures/formats

# One thread and "bitexact": the same ffmpeg makes the same bytes, and a new version of a file is a change on purpose.
encode() { ffmpeg -hide_banner -loglevel error -nostdin -y -filter_threads 1 -filter_complex_threads 1 "$@"; }
EXACT=(-fflags +bitexact -flags:v +bitexact -flags:a +bitexact -map_metadata -1)

main() {
  mkdir -p "$DEMO" "$FIXTURE"
  echo 'island'
  island 1 1600 900 "$WORK/island.png"
  clouds 1600 900 "$WORK/clouds.png"
  picture 1024 576 256 "$DEMO/map.png"
  picture 720 405 256 "$FIXTURE/map.png"
  echo 'animation'
  animation 400 225 56 64 "$DEMO/animation.gif"
  animation 288 162 28 64 "$FIXTURE/animation.gif"
  echo 'clip'
  clip "$DEMO/clip.mp4"
  echo 'lesson';    lesson_master "$WORK/lesson.mkv"
  hls "$WORK/lesson.mkv" "$DEMO/lesson" 25 4 crf 256x144:38k 426x240:76k 640x360:175k
  echo 'fixture';   fixture_master "$WORK/fixture.mkv"
  hls "$WORK/fixture.mkv" "$FIXTURE/lesson" 25 2 cbr 160x90:40k 256x144:100k 426x240:476k
  echo 'font';      font "$FIXTURE/square.ttf"
  echo 'formats';   formats "$WORK/fixture.mkv" "$FORMATS"
  for folder in demo/media test/fixtures/media test/fixtures/formats; do
    rm -rf "$folder"
    cp -r "$WORK/$folder" "$folder"
  done
  du -ab demo/media test/fixtures/{media,formats} | awk -F'\t' '/\.(png|gif)$|clip.mp4$|(lesson|media|formats|encrypted|ranges|fragmented|languages)$/ { printf "%9d  %s\n", $1, $2 }'
}

# font FILE
font() {
  /usr/bin/python3 - "$1" << 'PYTHON'
import sys
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
pen = TTGlyphPen(None)
pen.moveTo((100, 0)); pen.lineTo((100, 700)); pen.lineTo((900, 700)); pen.lineTo((900, 0)); pen.closePath()
square = pen.glyph()
font = FontBuilder(1000, isTTF=True)
font.setupGlyphOrder(['.notdef', 'square'])
font.setupCharacterMap({code: 'square' for code in range(0x21, 0x7F)})
font.setupGlyf({'.notdef': square, 'square': square})
font.setupHorizontalMetrics({'.notdef': (1000, 100), 'square': (1000, 100)})
font.setupHorizontalHeader(ascent=800, descent=-200)
font.setupNameTable({'familyName': 'Square', 'styleName': 'Regular'})
font.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200)
font.setupPost()
font.font['head'].created = font.font['head'].modified = 0
font.font.recalcTimestamp = False
font.save(sys.argv[1])
PYTHON
}

# --- Pictures -------------------------------------------------------------------------------------------------------------------

# octave COLUMNS ROWS SEED WIDTH HEIGHT: a small grid of random greys, blown up smoothly: one octave of value noise
octave() {
  echo "nullsrc=s=$1x$2:d=1:r=1,format=gray,geq=lum='255*mod(abs(sin(X*12.9898+Y*78.233+$3)*43758.5453)\,1)',format=gray16le,scale=$4:$5:flags=bicubic"
}

# ramp A B C D E F G: one colour channel by height: deep sea, shallows, beach, meadow, forest, rock, snow; lit from the upper left, contour lines
ramp() {
  local height='st(0\,clip((g(X\,Y)/65535-0.22)*1.75\,0\,1))'
  local light='clip(1+(g(X+1\,Y+1)-g(X-1\,Y-1))/1300\,0.55\,1.4)'
  local colour="if(lt(ld(0)\,0.40)\,$1+($2-$1)*ld(0)/0.40\,if(lt(ld(0)\,0.44)\,$3+($4-$3)*(ld(0)-0.40)/0.04\,if(lt(ld(0)\,0.62)\,$4+($5-$4)*(ld(0)-0.44)/0.18\,if(lt(ld(0)\,0.80)\,$5+($6-$5)*(ld(0)-0.62)/0.18\,$6+($7-$6)*min(1\,(ld(0)-0.80)/0.14)))))"
  echo "$height;st(1\,$colour);st(2\,if(lt(ld(0)\,0.40)\,1\,$light*(1-0.2*lt(mod(ld(0)*20\,1)\,0.055))));257*clip(ld(1)*ld(2)\,0\,255)"
}

# island SEED WIDTH HEIGHT FILE
island() {
  local seed=$1 width=$2 height=$3 file=$4
  encode -f lavfi -i "$(octave 6 4 "$seed" "$width" "$height")" -f lavfi -i "$(octave 13 8 2 "$width" "$height")" \
    -f lavfi -i "$(octave 27 16 3 "$width" "$height")" -f lavfi -i "$(octave 60 34 5 "$width" "$height")" \
    -f lavfi -i "$(octave 120 68 7 "$width" "$height")" -frames:v 1 -filter_complex "
      [0][1]blend=all_expr='A*0.60+B*0.40'[a]; [2][3]blend=all_expr='A*0.66+B*0.34'[b]; [a][b]blend=all_expr='A*0.80+B*0.20'[c];
      [c][4]blend=all_expr='A*0.975+B*0.025',gblur=0.9,format=gbrp16le,
      geq=r='$(ramp 14 96 236 150 46 120 255)':g='$(ramp 52 190 220 186 116 108 252)':b='$(ramp 110 214 160 92 62 96 250)',format=rgb24" "$file"
}

# clouds WIDTH HEIGHT FILE: white, with what is between them transparent
clouds() {
  encode -f lavfi -i "$(octave 9 5 11 "$1" "$2")" -f lavfi -i "$(octave 23 13 12 "$1" "$2")" -f lavfi -i "$(octave 70 40 13 "$1" "$2")" -frames:v 1 -filter_complex "
    [0][1]blend=all_expr='A*0.62+B*0.38'[a]; [a][2]blend=all_expr='A*0.86+B*0.14',format=gray,geq=lum='clip((lum(X\,Y)-138)*4.2\,0\,225)'[alpha];
    color=white:s=$1x$2,format=rgba[white]; [white][alpha]alphamerge" "$3"
}

PALETTE='split[picture][sample];[sample]palettegen=max_colors=%s:reserve_transparent=0[palette];[picture][palette]paletteuse=dither=%s'

# picture WIDTH HEIGHT COLOURS FILE
picture() {
  # shellcheck disable=SC2059
  encode -i "$WORK/island.png" -filter_complex "scale=$1:$2:flags=lanczos,$(printf "$PALETTE" "$3" sierra2_4a)" "${EXACT[@]}" "$4"
}

# flight WIDTH HEIGHT SECONDS: one round over the island (input 0) below the clouds (input 1) and their shadows
flight() {
  local round="2*PI*t/$3"
  echo "[1]split[c1][c2]; [c2]colorchannelmixer=rr=0:gg=0:bb=0:aa=0.35[shadows];
    [0]crop=800:450:'400+330*cos($round)':'225+190*sin($round)'[land];
    [shadows]crop=800:450:'400+390*cos($round+0.35)+36':'225+215*sin($round+0.35)+44'[below]; [c1]crop=800:450:'400+390*cos($round+0.35)':'225+215*sin($round+0.35)'[above];
    [land][below]overlay=format=auto[shaded]; [shaded][above]overlay=format=auto,scale=$1:$2:flags=lanczos"
}

# animation WIDTH HEIGHT FRAMES COLOURS FILE: ten frames a second
animation() {
  local seconds; seconds=$(awk "BEGIN { print $3 / 10 }")
  # shellcheck disable=SC2059
  encode -loop 1 -framerate 10 -t "$seconds" -i "$WORK/island.png" -loop 1 -framerate 10 -t "$seconds" -i "$WORK/clouds.png" \
    -filter_complex "$(flight "$1" "$2" "$seconds"),$(printf "$PALETTE" "$4" bayer:bayer_scale=4)" "${EXACT[@]}" -loop 0 "$5"
}

# --- Films ----------------------------------------------------------------------------------------------------------------------

# Slow coloured waves, computed on 128 x 72 points and blown up: smooth to look at and cheap to encode.
WAVES="st(0\,(X/W-0.5)*3.2);st(1\,(Y/H-0.5)*1.8);st(2\,T*0.22);st(3\,sin(ld(0)*1.3+ld(2)*1.7)+sin(ld(1)*2.1-ld(2)*1.1+1.2*sin(ld(0)*0.9+ld(2)))+sin(hypot(ld(0)-0.9*sin(ld(2)*0.7)\,ld(1)-0.6*cos(ld(2)*0.9))*2.4-ld(2)*2))"
waves() {
  local duration=$1 rate=$2
  echo "nullsrc=s=128x72:d=$duration:r=$rate,format=gbrp,geq=r='$WAVES;92+78*cos(ld(3)*1.15+T*0.06+0.4)':g='$WAVES;88+66*cos(ld(3)*1.15+T*0.085+2.2)':b='$WAVES;134+86*cos(ld(3)*1.0-T*0.05+3.9)',scale=640:360:flags=bicubic"
}

# Soft bells on a pentatonic scale, one a second, over a low fifth.
BELLS="0.30*sin(2*PI*t*220*pow(2\,floor(mod(floor(t)*3\,5)*2.4)/12))*exp(-2.6*mod(t\,1))*min(1\,mod(t\,1)*60)+0.12*sin(2*PI*t*440*pow(2\,floor(mod(floor(t/2)*2\,5)*2.4)/12))*exp(-1.8*mod(t\,2))*min(1\,mod(t\,2)*40)+0.07*(sin(2*PI*110*t)+sin(2*PI*165*t))*(0.7+0.3*sin(0.4*t))"

# text FONT SIZE X Y TEXT [OPTIONS]
text() { echo "drawtext=fontfile=$1:fontsize=$2:fontcolor=white:shadowcolor=black@0.45:shadowx=2:shadowy=2:x=$3:y=$4:text='$5'${6:+:$6}"; }

CLOCK="%{eif\\:floor(t/60)\\:d\\:2}\\:%{eif\\:mod(floor(t)\\,60)\\:d\\:2}.%{eif\\:mod(floor(t*10)\\,10)\\:d}"

# chapter FROM TO NUMBER TITLE SUBTITLE: fades in and out
chapter() {
  local fade="enable='between(t,$1,$2)':alpha='min(1,min((t-$1)/0.7,($2-t)/0.7))'"
  echo "$(text "$BOLD" 20 36 96 "$3" "$fade"),$(text "$BOLD" 34 36 124 "$4" "$fade"),$(text "$FONTS/DejaVuSans.ttf" 20 36 172 "$5" "$fade")"
}

lesson_master() {
  encode -f lavfi -i "$(waves 64 25)" -f lavfi -i 'color=white@0.85:s=640x6:r=25:d=64,format=rgba' -f lavfi -i "aevalsrc='$BELLS':s=44100:d=64" \
    -filter_complex "[0]$(text "$BOLD" 22 36 32 'p2p-elements'),$(text "$FONTS/DejaVuSans.ttf" 22 'w-tw-36' 32 'sample lesson'),
      $(chapter 0 16 'Chapter 1' 'One line, many viewers' 'Thirty browsers open the same page.'),
      $(chapter 16 32 'Chapter 2' 'Fetched once' 'One viewer brings each segment over the line.'),
      $(chapter 32 48 'Chapter 3' 'Passed on' 'The neighbours hand it to each other.'),
      $(chapter 48 64 'Chapter 4' 'Checked' 'Every block must match the origin’s digest.'),
      $(text "$MONO" 72 'w-tw-32' 'h-118' "$CLOCK")[film]; [film][1]overlay=x='-W+W*t/64':y=H-6,format=yuv420p[v]" \
    -map '[v]' -map 2:a -c:v libx264 -preset ultrafast -qp 4 -c:a pcm_s16le -t 64 "$1"
}

fixture_master() {
  encode -f lavfi -i 'testsrc2=s=426x240:r=25:d=24' -f lavfi -i "aevalsrc='$BELLS':s=44100:d=24" \
    -filter_complex "[0]noise=alls=14:allf=t:all_seed=7,$(text "$MONO" 44 'w-tw-16' 'h-64' "$CLOCK"),format=yuv420p[v]" \
    -map '[v]' -map 1:a -c:v libx264 -preset ultrafast -qp 4 -c:a pcm_s16le -t 24 "$1"
}

clip() {
  encode -loop 1 -framerate 25 -t 12 -i "$WORK/island.png" -loop 1 -framerate 25 -t 12 -i "$WORK/clouds.png" -f lavfi -i "aevalsrc='$BELLS':s=44100:d=12" \
    -filter_complex "$(flight 640 360 12),$(text "$BOLD" 22 28 24 'p2p-elements'),$(text "$MONO" 48 'w-tw-24' 'h-72' "$CLOCK"),format=yuv420p[v]" -map '[v]' -map 2:a -t 12 \
    -c:v libx264 -threads 1 -preset slow -b:v 340k -maxrate 440k -bufsize 1000k -profile:v main -c:a aac -b:a 40k -ac 1 -movflags +faststart "${EXACT[@]}" "$1"
}

# hls MASTER FOLDER RATE SEGMENT_SECONDS crf|cbr SIZE:BITRATE...: one folder a rendition, and the multivariant playlist with measured bandwidths
hls() {
  local master=$1 folder=$2 rate=$3 seconds=$4 mode=$5 index=0 rendition
  shift 5
  mkdir -p "$folder"
  printf '#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n' > "$folder/index.m3u8"
  for rendition in "$@"; do
    local size=${rendition%:*} bitrate=${rendition#*:} out=$folder/v$index gop=$((rate * seconds))
    local control=(-b:v "$bitrate" -maxrate "$bitrate" -bufsize "$((2 * ${bitrate%k}))k")
    if [ "$mode" = cbr ]; then control=(-b:v "$bitrate" -minrate "$bitrate" -maxrate "$bitrate" -bufsize "$bitrate" -nal-hrd cbr); fi
    mkdir -p "$out"
    encode -i "$master" -vf "scale=${size/x/:}:flags=lanczos" -c:v libx264 -threads 1 -preset slow -profile:v main -level 3.0 "${control[@]}" \
      -g $gop -keyint_min $gop -sc_threshold 0 -c:a aac -b:a 32k -ac 1 "${EXACT[@]}" \
      -f hls -hls_time "$seconds" -hls_playlist_type vod -hls_list_size 0 -hls_flags independent_segments -hls_segment_filename "$out/segment-%02d.ts" "$out/index.m3u8"
    printf '#EXT-X-STREAM-INF:%s,RESOLUTION=%s,FRAME-RATE=%s.000,CODECS="avc1.4d401e,mp4a.40.2"\nv%s/index.m3u8\n' \
      "$(bandwidths "$out")" "$size" "$rate" "$index" >> "$folder/index.m3u8"
    index=$((index + 1))
  done
}

# formats MASTER FOLDER
formats() {
  local master=$1 folder=$2
  mkdir -p "$folder"/{encrypted,ranges,fragmented,languages/{video,en,de,subtitles}}
  local picture=(-map 0:v -vf scale=256:144:flags=lanczos -c:v libx264 -threads 1 -preset slow -profile:v main -level 3.0
    -b:v 250k -minrate 250k -maxrate 250k -bufsize 250k -nal-hrd cbr -g 50 -keyint_min 50 -sc_threshold 0)
  local sound=(-map 0:a -c:a aac -b:a 32k -ac 1)
  local vod=("${EXACT[@]}" -t 8 -f hls -hls_time 2 -hls_playlist_type vod -hls_list_size 0)

  printf 'p2p-elements key' > "$folder/encrypted/key.bin"
  printf 'key.bin\n%s\n' "$folder/encrypted/key.bin" > "$WORK/key-info"
  encode -i "$master" "${picture[@]}" "${sound[@]}" "${vod[@]}" -hls_key_info_file "$WORK/key-info" \
    -hls_segment_filename "$folder/encrypted/segment-%02d.ts" "$folder/encrypted/index.m3u8"

  encode -i "$master" "${picture[@]}" "${sound[@]}" "${vod[@]}" -hls_flags single_file -hls_segment_filename "$folder/ranges/all.ts" "$folder/ranges/index.m3u8"

  encode -i "$master" "${picture[@]}" "${sound[@]}" "${vod[@]}" -hls_segment_type fmp4 -hls_flags single_file \
    -hls_segment_filename "$folder/fragmented/all.mp4" "$folder/fragmented/index.m3u8"

  local languages=$folder/languages fragments=(-hls_segment_type fmp4 -hls_fmp4_init_filename init.mp4)
  encode -i "$master" "${picture[@]}" "${vod[@]}" "${fragments[@]}" -hls_segment_filename "$languages/video/segment-%02d.m4s" "$languages/video/index.m3u8"
  encode -i "$master" "${sound[@]}" "${vod[@]}" "${fragments[@]}" -hls_segment_filename "$languages/en/segment-%02d.m4s" "$languages/en/index.m3u8"
  encode -i "$master" "${sound[@]}" -af asetrate=33075,aresample=44100,apad "${vod[@]}" "${fragments[@]}" \
    -hls_segment_filename "$languages/de/segment-%02d.m4s" "$languages/de/index.m3u8"
  subtitles "$languages/subtitles"
  cat > "$languages/index.m3u8" <<'PLAYLIST'
#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="1",URI="en/index.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="Deutsch",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="1",URI="de/index.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,URI="subtitles/index.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=360000,RESOLUTION=256x144,CODECS="avc1.4d401e,mp4a.40.2",AUDIO="sound",SUBTITLES="text"
video/index.m3u8
PLAYLIST
}

# subtitles FOLDER: WebVTT, two segments of 4 s (RFC 8216, 3.5)
subtitles() {
  local playlist='#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:VOD\n' index start
  for index in 0 1; do
    start=$((4 * index))
    printf 'WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n\n00:0%d.500 --> 00:0%d.500\nLine %d\n' \
      "$start" "$((start + 3))" "$((index + 1))" > "$1/segment-0$index.vtt"
    playlist+="#EXTINF:4.0,\nsegment-0$index.vtt\n"
  done
  # shellcheck disable=SC2059
  printf "$playlist#EXT-X-ENDLIST\n" > "$1/index.m3u8"
}

# bandwidths FOLDER: the peak and the average of its segments, in bit/s (RFC 8216, 4.3.4.2)
bandwidths() {
  awk -F'[:,]' -v folder="$1" '
    /^#EXTINF/ { duration = $2 }
    /\.ts$/ { ("stat -c %s " folder "/" $0) | getline bytes; all += bytes; time += duration; peak = (8 * bytes / duration > peak) ? 8 * bytes / duration : peak }
    END { printf "BANDWIDTH=%d,AVERAGE-BANDWIDTH=%d", peak + 1, 8 * all / time + 1 }' "$1/index.m3u8"
}

main
