//! Compiles the contract in `proto/` without a system protoc, into message types, services and the descriptor set.

use std::error::Error;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use prost::Message as _;

/// Root of the contract, from where cargo starts a build script; the names of imports start here.
const CONTRACT_ROOT: &str = "../../proto";

/// Messages that carry personal data or free text from outside. They get no generated `Debug`, so the compiler asks
/// for one in `src/masked.rs`, which shows only what is harmless.
const MASKED_MESSAGES: [&str; 15] = [
    ".lienthong.dossier.v1.Applicant",
    ".lienthong.dossier.v1.Attempt",
    ".lienthong.dossier.v1.DossierDetails",
    ".lienthong.dossier.v1.Identity",
    ".lienthong.dossier.v1.OtherPaper",
    ".lienthong.dossier.v1.ProgressLine",
    ".lienthong.dossier.v1.ResultPaper",
    ".lienthong.dossier.v1.StatusEvent",
    ".lienthong.dossier.v1.SubmittedDocument",
    ".lienthong.dossier.v1.Supplement",
    ".lienthong.identity.v1.Citizen",
    ".lienthong.identity.v1.Claims",
    ".lienthong.identity.v1.ListUsageRequest",
    ".lienthong.identity.v1.Place",
    ".lienthong.identity.v1.Relative",
];

fn main() -> Result<(), Box<dyn Error>> {
    // A changed folder means that a file came or went, a changed file is told below.
    let root = Path::new(CONTRACT_ROOT);
    println!("cargo::rerun-if-changed=build.rs");
    let files = contract_files(root)?;
    let descriptors = protox::compile(&files, [root])?;

    let out_dir = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    fs::write(out_dir.join("lienthong.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .emit_rerun_if_changed(false)
        .skip_debug(MASKED_MESSAGES)
        .compile_fds(descriptors)?;
    Ok(())
}

/// All `.proto` files below `folder`, in a stable order. Tells cargo to watch every folder and file on the way.
fn contract_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| entry.map(|found| found.path()))
        .collect::<Result<_, _>>()?;
    entries.sort();

    let mut files = Vec::new();
    for path in entries {
        if path.is_dir() {
            files.extend(contract_files(&path)?);
        } else if path.extension() == Some(OsStr::new("proto")) {
            println!("cargo::rerun-if-changed={}", path.display());
            files.push(path);
        }
    }
    Ok(files)
}
