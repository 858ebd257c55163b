#!/usr/bin/env bash
# Runs the Android demo's activities on this machine's JVM, with Android's own framework by Robolectric and onnxruntime for
# desktops, and draws its screens to build/android/screens: `make apk-screens`. Run after `make apk`, whose build it uses.
set -euo pipefail
cd "$(dirname "$0")/../.."
. sdk/java/tools.sh
out=$PWD/build/android
work=$out/robolectric
[ -d "$out/classes" ] && [ -d "$out/assets" ] || android-demo/build.sh
need javac default-jdk-headless mvn maven aapt aapt unzip unzip
fetch android-all && framework=$fetched
fetch onnxruntime && runtime=$PWD/$fetched

mkdir -p "$work"
if ! [ "$work/lib/.ready" -nt android-demo/screens/pom.xml ]; then
    echo "Downloading Robolectric"
    rm -rf "$work/lib"
    mvn -B -f android-demo/screens/pom.xml org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
        -DoutputDirectory="$work/lib" >build/maven-robolectric.log 2>&1 ||
        unavailable "Robolectric cannot be downloaded by Maven: see build/maven-robolectric.log"
    mkdir "$work/lib/android" && mv "$work"/lib/android-all-instrumented-*.jar "$work/lib/android/"
    for archive in "$work"/lib/*.aar; do
        unzip -q -p "$archive" classes.jar >"${archive%.aar}.jar"
    done
    touch "$work/lib/.ready"
fi

rm -rf "$work"/{classes,app} "$out/screens"
mkdir -p "$work"/{classes,app} "$out/screens"
libraries=$(printf '%s:' "$work"/lib/*.jar)
cp -r "$out/classes/org" "$work/app/"
javac -Xlint:-options -encoding UTF-8 -cp "$work/app:$libraries$framework" -d "$work/classes" \
    android-demo/screens/java/org/scriptkd/demo/*.java

# run ASSETS "CLASS..." [-D...]: the tests of these classes, with the app's resources and these assets.
run() {
    local assets=$1 config=$work/config classes
    read -ra classes <<<"$2"
    shift 2
    rm -rf "$config" && mkdir -p "$config/com/android/tools"
    aapt package -f -M android-demo/app/src/main/AndroidManifest.xml -S android-demo/app/src/main/res -A "$assets" \
        -I "$framework" -0 arsc -F "$config/resources.apk"
    cat >"$config/com/android/tools/test_config.properties" <<END
android_custom_package=org.scriptkd.demo
android_merged_manifest=$PWD/android-demo/app/src/main/AndroidManifest.xml
android_merged_assets=$assets
android_resource_apk=$config/resources.apk
END
    # useRealAni: Android's own AccessibilityNodeInfo, and not a likeness of it that knows no virtual views.
    java --add-opens=java.base/java.io=ALL-UNNAMED --add-opens=java.base/java.lang=ALL-UNNAMED \
        -Drobolectric.offline=true -Drobolectric.dependency.dir="$work/lib/android" -Drobolectric.useRealAni=true \
        -Dscriptkd.screens="$out/screens" \
        -Dscriptkd.samples="$PWD/samples" -Dscriptkd.pages="$PWD/benchmarks/pages/set" "$@" \
        -cp "$config:$work/classes:$work/app:$runtime:$libraries$framework" org.junit.runner.JUnitCore "${classes[@]/#/org.scriptkd.demo.}" \
        2> >(grep -v "^Invalid ID 0x00000000" >&2) # what Android's resources say of attributes that a theme leaves out
}

# The app without the text detector, as it is built where that cannot be downloaded; then with it.
rm -rf "$work/by-hand"
mkdir -p "$work/by-hand"
cp -r "$out/assets/models" "$work/by-hand/"
run "$work/by-hand" "ScreensTest BoxesOnPhotoTest TalkBackTest LiveTest"
if [ -d "$out/assets/detector" ]; then
    run "$out/assets" FoundWordsTest
else
    echo "SKIPPED: FoundWordsTest. The app was built without the text detector."
fi
# An app whose text detector is none.
rm -rf "$work/bad-detector"
mkdir -p "$work/bad-detector/detector"
cp -r "$out/assets/models" "$work/bad-detector/"
cp sdk/scriptkd_sdk/models/student.onnx "$work/bad-detector/detector/PP-OCRv6_det_small.onnx"
run "$work/bad-detector" BadDetectorTest
# An app whose model tells which way up a word is.
rm -rf "$work/turn"
mkdir -p "$work/turn/models"
cp android-demo/screens/any-crop.onnx "$work/turn/models/student.onnx"
run "$work/turn" TurnTest
# Apps whose model cannot be used: there is none, or it is of a newer version.
rm -rf "$work"/{none,newer}
mkdir -p "$work"/{none,newer}/models
touch "$work/none/models/none.txt"
cp sdk/contract/golden/refused/newer-format.onnx "$work/newer/models/student.onnx"
run "$work/none" BadModelTest -Dscriptkd.wrong="This app was built without a model (assets/models/student.onnx)."
run "$work/newer" BadModelTest -Dscriptkd.wrong="The model cannot be used: student.onnx: its format is 99"
