#!/usr/bin/env bash
# Uses maven.sh's repository as any user would: `make test-maven`. It builds a Maven project, on the class path and the
# module path, a Kotlin program, and a program shrunk by R8.
set -euo pipefail
cd "$(dirname "$0")/../.."
. sdk/java/tools.sh
sdk/java/maven.sh
fetch r8 && shrinker=$fetched
work=build/java/consumer
samples=(samples/tamil-1.jpg samples/latin-1.jpg)

# expect WORDS LINES COMMAND...: the command must print exactly these lines.
expect() {
    local words=$1 wanted=$2 found
    shift 2
    found=$("$@" 2>&1) || fail "$words: it ended with an error: $found"
    [ "$found" = "$wanted" ] || fail "$words: it printed '$found', not '$wanted'"
    echo "ok: $words"
}

# Maven, with the test's own local repository, which holds no older scriptkd.
rm -rf $work build/m2/org/scriptkd
maven build/maven-consumer.log -f sdk/java/consumer/pom.xml -Dmaven.repo.local="$PWD/build/m2" -Dscriptkd.repository="$PWD/build/maven-repository" package
answers=$'Tamil (Taml)\nLatin (Latn)\nnot Tamil: true'
libraries=$(printf '%s:' $work/dependency/*.jar)
[ "$(ls $work/dependency | sed 's/-[0-9.]*\.jar//' | paste -sd' ')" = "onnxruntime scriptkd-models scriptkd-sdk" ] ||
    fail "scriptkd brings along other dependencies than onnxruntime: $(ls $work/dependency)"
expect "a Maven project" "$answers" java -cp "$work/classes:$libraries" example.Words "${samples[@]}"
expect "on the module path" "$answers" \
    java --module-path $work/dependency --add-modules org.scriptkd.sdk -cp $work/classes example.Words "${samples[@]}"
without=$(java -cp "$work/classes:$(printf '%s:' $work/dependency/{onnxruntime,scriptkd-sdk}*.jar)" example.Words "${samples[@]}" 2>&1) &&
    fail "without scriptkd-models the program must not run"
[[ $without == *"ModelException: student: no such model is bundled; org.scriptkd:scriptkd-models, which has those"* ]] || fail "$without"
echo "ok: a missing scriptkd-models is a sentence"

# The content of the jars.
for jar in sdk models; do
    said=$(jar --describe-module --file $work/dependency/scriptkd-$jar-*.jar)
    [[ $said == *"org.scriptkd.$jar@"*" automatic"* ]] || fail "scriptkd-$jar has no Automatic-Module-Name: $said"
    unzip -l $work/dependency/scriptkd-$jar-*.jar META-INF/LICENSE >/dev/null || fail "scriptkd-$jar has no licence"
done
[ "$(od -An -j6 -N2 -t u1 $work/../maven/classes/org/scriptkd/sdk/ScriptIdentifier.class | tr -d ' ')" = 052 ] ||
    fail "the classes are not Java 8's"
aar=$(echo build/maven-repository/org/scriptkd/scriptkd-android/*/scriptkd-android-*.aar)
unzip -l "$aar" AndroidManifest.xml classes.jar proguard.txt R.txt LICENSE >/dev/null || fail "the AAR is not whole"
cmp -s <(unzip -p "$aar" proguard.txt) sdk/java/src/main/resources/META-INF/proguard/scriptkd.pro || fail "the AAR has other rules than the jar"
echo "ok: module names, licences, Java 8, the AAR"

# Kotlin.
maven build/maven-kotlin.log -f sdk/java/consumer/kotlin.xml org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DoutputDirectory="$PWD/$work/kotlin"
standard=$(echo $work/kotlin/kotlin-stdlib-*.jar)
kotlin() {
    java "${quickly[@]}" -cp "$(printf '%s:' $work/kotlin/*.jar)" org.jetbrains.kotlin.cli.jvm.K2JVMCompiler -no-stdlib -no-reflect -Werror -jvm-target 1.8 \
        -cp "$libraries$standard" -d $work/kotlin-classes "$@" 2>&1
}
said=$(kotlin sdk/java/consumer/src/main/kotlin/example/Words.kt) || fail "$said"
expect "Kotlin" $'Tamil, turned by 0\nTamil, turned by 0\nregion 2: the region (-9, 0, -1, 9) is outside the image of 238x40 pixels' \
    java -cp "$work/kotlin-classes:$libraries$standard" example.WordsKt samples/tamil-1.jpg
said=$(kotlin sdk/java/consumer/src/wrong/kotlin/Wrong.kt) && fail "Kotlin does not see what may be null"
[ "$(grep -c ': error: ' <<<"$said")" = 2 ] && grep -q "nullable receiver of type" <<<"$said" && grep -q "'Pixels?', but 'Pixels' was expected" <<<"$said" ||
    fail "$said"
echo "ok: Kotlin knows what may be null"

# R8 shrinks the program, the SDK and onnxruntime's classes. onnxruntime's native libraries stay as they are.
mkdir -p $work/natives
unzip -q $work/dependency/onnxruntime-*.jar 'ai/onnxruntime/native/linux-*/*.so' -d $work/natives
unzip -q $work/dependency/onnxruntime-*.jar 'ai/*.class' -d $work/runtime
models=$(echo $work/dependency/scriptkd-models-*.jar)
# shrink SDK: to shrunk.jar.
shrink() {
    rm -f $work/shrunk.jar
    jar --create --file $work/runtime.jar -C $work/runtime .
    java "${quickly[@]}" -cp "$shrinker" com.android.tools.r8.R8 --release --classfile --lib "$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")" \
        --pg-conf sdk/java/consumer/shrink.pro --output $work/shrunk.jar $work/words-1.jar "$1" $work/runtime.jar >$work/r8.log 2>&1 ||
        fail "R8 fails: $(cat $work/r8.log)"
}
shrunk=(java -cp "$work/shrunk.jar:$work/natives:$models" example.Words "${samples[@]}")
shrink $work/dependency/scriptkd-sdk-*.jar
unzip -l $work/shrunk.jar org/scriptkd/sdk/ScriptIdentifier.class >/dev/null && fail "R8 has renamed nothing, so this tests nothing"
expect "shrunk by R8" "$answers" "${shrunk[@]}"
cp $work/dependency/scriptkd-sdk-*.jar $work/no-rules.jar
mkdir -p $work/no-rules/META-INF/proguard
grep -v '^-keep' sdk/java/src/main/resources/META-INF/proguard/scriptkd.pro >$work/no-rules/META-INF/proguard/scriptkd.pro
jar --update --file $work/no-rules.jar -C $work/no-rules .
shrink $work/no-rules.jar
said=$("${shrunk[@]}" 2>&1) && fail "without the SDK's rule for onnxruntime the shrunk program runs too, so this tests nothing"
echo "ok: without the rule that keeps onnxruntime's classes it fails: $(head -n 1 <<<"$said" | cut -c1-120)"
