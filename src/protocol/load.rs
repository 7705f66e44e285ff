//! Folders of IDL, rules and names, embedded or on disk.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::rules::{self, Bound};
use super::{Grade, Interface, fsrvp, names, scmp};
use crate::idl::{self, Names, Sources};

/// Why the dissectors could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file that says something it must not.
    #[error(transparent)]
    Text(#[from] idl::Error),
    /// A file or directory that cannot be read.
    #[error("{}: could not be read", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A directory in which there is nothing to load.
    #[error("{}: neither *.idl, names.toml, causes.toml or rules/ nor folders that hold them", .0.display())]
    Empty(PathBuf),
}

/// One folder: its IDL files, and its rules and names if it has any.
struct Folder {
    idl: Vec<(String, String)>,
    rules: Option<(String, String)>,
    names: Option<(String, String)>,
    /// Whether there are pages of rules or causes, which the judge reads.
    pages: bool,
}

/// The folder in a folder that holds the pages of its rules.
pub(crate) const PAGES: &str = "rules";
/// The file in a folder that holds the pages of its causes.
pub(crate) const CAUSES: &str = "causes.toml";

impl Folder {
    fn is_empty(&self) -> bool {
        self.idl.is_empty() && self.names.is_none() && !self.pages
    }
}

/// Files that any folder may import.
const COMMON: [(&str, &str); 2] = [
    ("ms-dtyp.idl", include_str!("../../dissectors/common/ms-dtyp.idl")),
    (DCOM, include_str!("../../dissectors/ms-dcom/ms-dcom.idl")),
];

/// The file of what all object interfaces share.
const DCOM: &str = "ms-dcom.idl";

/// The embedded folders: name, IDL, rules.
const EMBEDDED: [(&str, &str, &str, &str); 6] = [
    (
        "fsrvp.idl",
        include_str!("../../dissectors/ms-fsrvp/fsrvp.idl"),
        "ms-fsrvp/rules.toml",
        include_str!("../../dissectors/ms-fsrvp/rules.toml"),
    ),
    (
        "scmp.idl",
        include_str!("../../dissectors/ms-scmp/scmp.idl"),
        "ms-scmp/rules.toml",
        include_str!("../../dissectors/ms-scmp/rules.toml"),
    ),
    (
        DCOM,
        include_str!("../../dissectors/ms-dcom/ms-dcom.idl"),
        "ms-dcom/rules.toml",
        include_str!("../../dissectors/ms-dcom/rules.toml"),
    ),
    (
        "mgmt.idl",
        include_str!("../../dissectors/mgmt/mgmt.idl"),
        "mgmt/rules.toml",
        include_str!("../../dissectors/mgmt/rules.toml"),
    ),
    (
        "epm.idl",
        include_str!("../../dissectors/epm/epm.idl"),
        "epm/rules.toml",
        include_str!("../../dissectors/epm/rules.toml"),
    ),
    (
        "srvsvc.idl",
        include_str!("../../dissectors/srvsvc/srvsvc.idl"),
        "srvsvc/rules.toml",
        include_str!("../../dissectors/srvsvc/rules.toml"),
    ),
];

/// The embedded tables of names.
const NAMES: [(&str, &str); 7] = [
    ("automation/names.toml", include_str!("../../dissectors/automation/names.toml")),
    ("directory/names.toml", include_str!("../../dissectors/directory/names.toml")),
    ("printing/names.toml", include_str!("../../dissectors/printing/names.toml")),
    ("security/names.toml", include_str!("../../dissectors/security/names.toml")),
    ("services/names.toml", include_str!("../../dissectors/services/names.toml")),
    ("storage/names.toml", include_str!("../../dissectors/storage/names.toml")),
    ("wmi/names.toml", include_str!("../../dissectors/wmi/names.toml")),
];

pub(super) fn common_status() -> Result<Names, idl::Error> {
    let text = include_str!("../../dissectors/common/status.toml");
    Ok(rules::parse("common/status.toml", text)?.status("common"))
}

pub(super) fn embedded(common: &Names) -> Result<Vec<Interface>, idl::Error> {
    let mut interfaces = Vec::new();
    for (file, text, rules_file, rules) in EMBEDDED {
        let folder = Folder {
            idl: vec![(file.to_owned(), text.to_owned())],
            rules: Some((rules_file.to_owned(), rules.to_owned())),
            names: None,
            pages: false,
        };
        interfaces.extend(compile(&folder, &common_sources(), common)?);
    }
    for (file, text) in NAMES {
        interfaces.extend(names::parse(file, text)?);
    }
    Ok(interfaces)
}

fn common_sources() -> Sources {
    COMMON.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

pub(super) fn directory(dir: &Path, common: &Names) -> Result<Vec<Interface>, LoadError> {
    let mut folders = Vec::new();
    let mut sources = common_sources();
    let own = folder(dir)?;
    if own.is_empty() {
        for path in entries(dir)? {
            if path.is_dir() {
                let folder = folder(&path)?;
                if path.file_name().is_some_and(|name| name == "common") {
                    sources
                        .extend(folder.idl.iter().map(|(path, text)| (base(path), text.clone())));
                }
                folders.push(folder);
            }
        }
    } else {
        let beside = dir.with_file_name("common");
        if beside.is_dir() {
            let beside = folder(&beside)?.idl;
            sources.extend(beside.into_iter().map(|(path, text)| (base(&path), text)));
        }
        folders.push(own);
    }
    if folders.iter().all(Folder::is_empty) {
        return Err(LoadError::Empty(dir.to_owned()));
    }
    let mut interfaces = Vec::new();
    for folder in &folders {
        interfaces.extend(compile(folder, &sources, common)?);
        if let Some((file, text)) = &folder.names {
            interfaces.extend(names::parse(file, text)?);
        }
    }
    Ok(interfaces)
}

fn compile(
    folder: &Folder,
    sources: &Sources,
    common: &Names,
) -> Result<Vec<Interface>, idl::Error> {
    let mut sources = sources.clone();
    for (path, text) in &folder.idl {
        sources.insert(base(path), text.clone());
    }
    let mut modules = Vec::new();
    for (path, _) in &folder.idl {
        let file = base(path);
        let module = idl::compile(&file, &sources).map_err(|mut error| {
            if error.file == file {
                error.file.clone_from(path);
            }
            error
        })?;
        modules.push(module);
    }
    let bound = match &folder.rules {
        Some((file, text)) => rules::parse(file, text)?.bind(file, text, &mut modules, common)?,
        None => Bound::default(),
    };
    let mut interfaces = Vec::new();
    for module in modules {
        let types = Arc::new(module.types);
        interfaces.extend(module.interfaces.into_iter().map(|interface| Interface {
            uuid: interface.uuid,
            version: interface.version,
            name: interface.name,
            protocol: bound.protocol.clone(),
            also: bound.also.clone(),
            object: interface.object,
            grade: grade(interface.uuid),
            operations: interface.operations,
            types: types.clone(),
            status: bound.status.clone(),
            instance: bound.instance.clone(),
            success: bound.success.clone(),
        }));
    }
    Ok(interfaces)
}

fn grade(uuid: crate::bytes::Guid) -> Grade {
    let typed = uuid == fsrvp::UUID || scmp::INTERFACES.contains(&uuid);
    if typed { Grade::Typed } else { Grade::Idl }
}

/// The name an import would use.
fn base(path: &str) -> String {
    Path::new(path)
        .file_name()
        .map_or_else(|| path.to_owned(), |name| name.to_string_lossy().into_owned())
}

fn folder(dir: &Path) -> Result<Folder, LoadError> {
    let mut folder = Folder { idl: Vec::new(), rules: None, names: None, pages: false };
    for path in entries(dir)? {
        let name = path.display().to_string();
        if path.extension().is_some_and(|ext| ext.eq_ignore_ascii_case("idl")) {
            folder.idl.push((name, read(&path)?));
        } else if path.file_name().is_some_and(|name| name == "rules.toml") {
            folder.rules = Some((name, read(&path)?));
        } else if path.file_name().is_some_and(|name| name == "names.toml") {
            folder.names = Some((name, read(&path)?));
        } else if path.file_name().is_some_and(|name| name == PAGES) {
            folder.pages |= path.is_dir();
        } else if path.file_name().is_some_and(|name| name == CAUSES) {
            folder.pages |= path.is_file();
        }
    }
    Ok(folder)
}

/// What is in a directory, in the order of its names.
pub(crate) fn entries(dir: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let io = |source| LoadError::Io { path: dir.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir).map_err(io)? {
        paths.push(entry.map_err(io)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// The text of a file of a folder.
pub(crate) fn read(path: &Path) -> Result<String, LoadError> {
    let text = match path.metadata() {
        Ok(about) if !about.is_file() => Err(too_long()),
        _ => read_text(path),
    };
    text.map_err(|source| LoadError::Io { path: path.to_owned(), source })
}

/// The text of a file that somebody has written, or of a pipe: at most 16 MiB.
pub fn read_text(path: &Path) -> io::Result<String> {
    /// Octets; the largest file of ours has 300,000.
    const MAX_FILE: u64 = 16 << 20;
    let mut text = String::new();
    let read = fs::File::open(path)?.take(MAX_FILE + 1).read_to_string(&mut text)?;
    match u64::try_from(read) {
        Ok(0..=MAX_FILE) => Ok(text),
        _ => Err(too_long()),
    }
}

fn too_long() -> io::Error {
    io::Error::other("expected a file of at most 16 MiB")
}
