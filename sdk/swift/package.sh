#!/usr/bin/env bash
# Builds the Swift package in build/swift/scriptkd, with the C core's sources, the models and the licence: `make swift`.
# In this repository they are links. SwiftPM requires a package at the top of its own repository.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
package=build/swift/scriptkd
rm -rf $package
mkdir -p $package
cp -RL sdk/swift/{Package.swift,README.md,Sources} LICENSE NOTICE $package
sed -i.bak '/testTarget/d' $package/Package.swift # the tests need the golden vectors, which the package lacks
rm $package/Package.swift.bak
cd $package
git init --quiet --initial-branch=main
git add .
git -c user.name=scriptkd -c user.email= -c commit.gpgsign=false commit --quiet --message "scriptkd $version"
git tag "$version"
echo "$package: a repository with the version $version, $(git ls-files | wc -l | tr -d ' ') files, $(du -sh Sources | cut -f1 | tr -d ' ')"
