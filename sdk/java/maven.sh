#!/usr/bin/env bash
# Builds the Maven artifacts in a repository at build/maven-repository: `make maven`.
#   org.scriptkd:scriptkd-sdk      the SDK for JVMs, with sources and javadoc
#   org.scriptkd:scriptkd-models   the models that ScriptIdentifier.open() opens
#   org.scriptkd:scriptkd-android  the SDK for Android: an AAR with rules for R8, with sources and javadoc
set -euo pipefail
cd "$(dirname "$0")/../.."
. sdk/java/tools.sh
repository=$PWD/build/maven-repository
work=build/java/maven
version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
for pom in sdk/java/pom.xml sdk/java/{models,android}/pom.xml; do
    grep -q "^  <version>$version</version>" "$pom" || fail "$pom must have the version $version, as pyproject.toml has."
done
need javac default-jdk-headless mvn maven unzip unzip
fetch android-all && framework=$fetched
fetch onnxruntime && runtime=$fetched
fetch jspecify && annotations=$fetched

# With SOURCE_DATE_EPOCH, as `make release` sets it, jars have that date. So they are the same each time.
dated=()
stamped=()
if [ -n "${SOURCE_DATE_EPOCH:-}" ]; then
    date=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
    dated=(--date="$date")
    stamped=(-Dproject.build.outputTimestamp="$date")
fi

rm -rf "$repository" $work
mkdir -p $work/{android,classes}

# deploy POM: builds this project and deploys it into our repository, not into the user's.
deploy() {
    maven build/maven-deploy.log -f "$1" -Dmaven.test.skip=true -Dmaven.install.skip=true "${stamped[@]}" \
        -DaltDeploymentRepository="build::file:$repository" deploy
}
deploy sdk/java/pom.xml
deploy sdk/java/models/pom.xml

# The AAR: the same classes without those that need Java's desktop, and with Bitmaps.
sdk=$work/sdk/scriptkd-sdk-$version
desktop=(BufferedImages Exif)
unzip -q "$sdk.jar" -d $work/classes
mv $work/classes/META-INF/proguard/scriptkd.pro $work/android/proguard.txt
rm -r $work/classes/META-INF/{MANIFEST.MF,maven,proguard}
for class in "${desktop[@]}"; do
    rm $work/classes/org/scriptkd/sdk/"$class"*.class
done
java8 -cp "$work/classes:$framework:$runtime:$annotations" -d $work/classes sdk/java/android/src/main/java/org/scriptkd/sdk/*.java
jar --create "${dated[@]}" --file $work/android/classes.jar -C $work/classes .
cp sdk/java/android/AndroidManifest.xml LICENSE NOTICE $work/android/
: >$work/android/R.txt # no resources
aar=$work/scriptkd-android-$version
jar --create "${dated[@]}" --no-manifest --file "$aar.aar" -C $work/android .

mkdir -p $work/sources/org/scriptkd/sdk
cp sdk/java/{,android/}src/main/java/org/scriptkd/sdk/*.java $work/sources/org/scriptkd/sdk/
for class in "${desktop[@]}"; do
    rm $work/sources/org/scriptkd/sdk/"$class.java"
done
jar --create "${dated[@]}" --file "$aar-sources.jar" -C $work/sources .
javadoc "${quickly[@]/#/-J}" -quiet -notimestamp -Xdoclint:all,-missing -encoding UTF-8 -source 8 -cp "$framework:$runtime:$annotations" -d $work/javadoc \
    $work/sources/org/scriptkd/sdk/*.java >$work/javadoc.log 2>&1 || fail "$(cat $work/javadoc.log)"
jar --create "${dated[@]}" --file "$aar-javadoc.jar" -C $work/javadoc .
maven build/maven-deploy.log org.apache.maven.plugins:maven-deploy-plugin:3.1.3:deploy-file -DrepositoryId=build -Durl="file:$repository" \
    -DpomFile=sdk/java/android/pom.xml -Dfile="$aar.aar" -Dsources="$aar-sources.jar" -Djavadoc="$aar-javadoc.jar"
(cd "$repository" && find . -name '*.jar' -o -name '*.aar' | sort | sed 's|^\./||' | xargs wc -c | sed '$d')
echo "build/maven-repository: org.scriptkd, version $version"
