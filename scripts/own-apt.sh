# Sourced by scripts/arm64/prepare.sh and sdk/swift/tools.sh.

# own_apt FOLDER ARCHITECTURE ALL: writes a separate configuration of apt to FOLDER/apt.conf, for APT_CONFIG. With it,
# apt assumes that nothing is installed, and does not touch this machine's packages. ARCHITECTURE is the target's.
# ALL lists it and any others whose packages are wanted. Standard input gives the lines of sources.list; each must name
# its keys.
own_apt() {
    local folder=$1 architecture=$2 all=$3
    mkdir -p "$folder"/{lists,cache/archives}/partial
    cat >"$folder/sources.list"
    : >"$folder/status"
    cat >"$folder/apt.conf" <<END
APT::Architecture "$architecture";
APT::Architectures { $all };
APT::Sandbox::User "root";
Acquire::Retries "3";
Acquire::Languages "none";
Dir::Etc::SourceList "$folder/sources.list";
Dir::Etc::SourceParts "-";
Dir::State::Lists "$folder/lists";
Dir::State::Status "$folder/status";
Dir::Cache "$folder/cache";
END
}
