#!/usr/bin/env bash
# Builds, tests, aligns, signs and verifies the Android demo without Gradle or an Android SDK: `make apk`.
# MODELS="FILE..." bundles more models for the benchmark screen, such as a teacher and an assistant.
set -euo pipefail
cd "$(dirname "$0")/.."
. sdk/java/tools.sh
main=android-demo/app/src/main
out=build/android
abis=(arm64-v8a armeabi-v7a x86_64)
min_sdk=$(sed -n 's/.*minSdkVersion="\([0-9]*\)".*/\1/p' $main/AndroidManifest.xml)

for model in ${MODELS:-}; do
    [[ -f $model && $model == *.onnx ]] || fail "MODELS names $model, which is no .onnx file."
done
mkdir -p "$out"
need javac default-jdk-headless mvn maven npm npm aapt aapt zipalign zipalign apksigner apksigner dexdump dexdump unzip unzip
fetch android-all && framework=$fetched
fetch r8 && shrinker=$fetched
fetch junit-platform-console-standalone && junit=$fetched
fetch onnxruntime && desktop=$fetched

sdk/java/maven.sh
aar=$(echo build/maven-repository/org/scriptkd/scriptkd-android/*/scriptkd-android-*.aar)

rm -rf "$out"/{stage,gen,runtime,sdk,classes,tests,assets} "$out"/*.apk
mkdir -p "$out"/{stage,gen,runtime,sdk,classes,tests,assets/models}

# The SDK, as any app takes it: classes, and rules for R8.
unzip -q "$aar" classes.jar proguard.txt -d "$out/sdk"
unzip -q "$out/sdk/classes.jar" 'org/*' -d "$out/classes"

# The runtime: Java classes, and a native library for each kind of processor.
# They come as an npm package brings them along, because Maven Central may lack com.microsoft.onnxruntime:onnxruntime-android.
if fetch_npm onnxruntime.aar; then
    apk=$out/scriptkd-demo.apk
    unzip -q "$fetched" classes.jar 'jni/*' -d "$out/runtime"
    runtime=$out/runtime/classes.jar
    for abi in "${abis[@]}"; do
        mkdir -p "$out/stage/lib/$abi"
        cp "$out/runtime/jni/$abi"/*.so "$out/stage/lib/$abi/"
    done
else
    apk=$out/scriptkd-demo-without-runtime.apk
    echo "SKIPPED: native libraries for phones. The npm package that holds them cannot be downloaded: see build/npm.log."
    echo "All the rest is built and checked, with the same Java classes from onnxruntime for desktops."
    runtime=$desktop
fi
unzip -q "$runtime" 'ai/*.class' -d "$out/classes"

# The models: all that the Python SDK brings along, one in float32 for the benchmark, and what MODELS names.
cp sdk/scriptkd_sdk/models/*.onnx "$out/assets/models/"
cp sdk/contract/golden/fp32.onnx "$out/assets/models/fp32-for-tests.onnx"
for model in ${MODELS:-}; do
    cp "$model" "$out/assets/models/"
done

# The text detector. Without it the app finds no words itself.
status=0
node android-demo/detector.mjs "$out/assets/detector" 2>"$out/detector.log" || status=$?
[ $status = 0 ] || [ $status = 75 ] || fail "$(cat "$out/detector.log")"
[ $status = 0 ] || echo "SKIPPED: finding words. $(cat "$out/detector.log")"

# Resources, Java, its tests; R8 drops what is not used, by the rules of the SDK, of the resources and of the app.
package=(aapt package -f -M $main/AndroidManifest.xml -S $main/res -A "$out/assets" -I "$framework" -0 arsc)
"${package[@]}" -m -J "$out/gen" -G "$out/resources.pro" -F "$out/unaligned.apk"
compile=(javac --release 8 -Xlint:all,-options,-classfile,-deprecation -Werror -encoding UTF-8)
find $main/java "$out/gen" -name '*.java' >"$out/sources.txt"
"${compile[@]}" -XDsuppressNotes -cp "$framework:$runtime:$out/classes" -d "$out/classes" @"$out/sources.txt"
"${compile[@]}" -cp "$out/classes:$junit:$framework" -d "$out/tests" android-demo/app/src/test/java/org/scriptkd/demo/*.java
java -jar "$junit" execute --class-path "$out/tests:$out/classes:$framework" --scan-class-path "$out/tests" \
    --details=summary --disable-banner
find "$out/classes" -name '*.class' >"$out/classes.txt"
jdk=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")") # for java.util and the like, which the jar of Android's classes lacks
java "${quickly[@]}" -cp "$shrinker" com.android.tools.r8.R8 --release --min-api "$min_sdk" --lib "$framework" --lib "$jdk" --output "$out/stage" \
    --pg-conf "$out/sdk/proguard.txt" --pg-conf "$out/resources.pro" --pg-conf android-demo/app/app.pro @"$out/classes.txt"

# Pack, align, sign with a key made here (an update of an installed demo needs the same key), verify.
(cd "$out/stage" && find . -type f | sed 's|^\./||' | xargs aapt add ../unaligned.apk >/dev/null)
zipalign -f -p 4 "$out/unaligned.apk" "$out/aligned.apk"
[ -f "$out/debug.keystore" ] || keytool -genkeypair -keystore "$out/debug.keystore" -storepass android -keypass android \
    -alias debug -dname CN=scriptkd-debug -keyalg RSA -keysize 2048 -validity 10000 >/dev/null 2>&1
apksigner sign --ks "$out/debug.keystore" --ks-pass pass:android --out "$apk" "$out/aligned.apk"
zipalign -c -p 4 "$apk" || fail "$apk is not aligned."
apksigner verify --verbose --min-sdk-version "$min_sdk" "$apk" | grep -E '^Verifie[sd]' || fail "$apk is not signed as it should be."
rm -f "$out"/{unaligned,aligned}.apk "$apk.idsig"
echo "$apk: $(wc -c <"$apk") bytes, for $(cd "$out/stage" && ls lib 2>/dev/null | paste -sd' ' | grep . || echo 'no phone: it lacks the native libraries')"
