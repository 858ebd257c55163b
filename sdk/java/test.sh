#!/usr/bin/env bash
# Compiles the Java SDK for Java 8, packs it, and runs its tests on this machine's JVM: `make test-java`.
set -euo pipefail
cd "$(dirname "$0")/../.."
. sdk/java/tools.sh
mkdir -p build/java
need javac default-jdk-headless mvn maven
fetch onnxruntime
runtime=$fetched
fetch jspecify
annotations=$fetched
fetch junit-platform-console-standalone
junit=$fetched

rm -rf build/java/{classes,test-classes,models}
mkdir -p build/java/{test-classes,models/org/scriptkd/models}
java8 -cp "$runtime:$annotations" -d build/java/classes sdk/java/src/main/java/org/scriptkd/sdk/*.java
jar --create --file build/java/scriptkd-sdk.jar -C build/java/classes . -C sdk/java/src/main/resources .
cp sdk/scriptkd_sdk/models/*.onnx build/java/models/org/scriptkd/models/ # as in the artifact scriptkd-models
classes=build/java/scriptkd-sdk.jar:build/java/models:$runtime
java8 -parameters -cp "$classes:$annotations:$junit" -d build/java/test-classes \
    sdk/java/src/test/java/{android/system,org/scriptkd/sdk}/*.java
java -Dscriptkd.sdk=sdk -jar "$junit" execute --class-path "build/java/test-classes:$classes" --scan-class-path build/java/test-classes \
    --details=summary --disable-banner
echo "build/java/scriptkd-sdk.jar: $(wc -c <build/java/scriptkd-sdk.jar) bytes, needs $(basename "$runtime")"
