//! Folders of the user: adding, replacing, and errors that say where.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// A directory of its own for one test, removed when it ends.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let dir = std::env::temp_dir().join(format!("vshark-{}-{name}", std::process::id()));
        for (path, text) in files {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(dir)
    }

    pub(super) fn load(&self) -> Result<Registry, LoadError> {
        Registry::load(std::slice::from_ref(&self.0))
    }

    #[track_caller]
    pub(super) fn error(&self) -> String {
        let error = self.load().expect_err("this must not load").to_string();
        error.replace(&format!("{}", self.0.join("").display()), "")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const TOY: &str = "import \"ms-dtyp.idl\"; import \"own.idl\";
[uuid(00000000-0000-0000-0000-00000000000a), version(2.1)]
interface toy { OWN Touch([in] OWN what); OWN Look(void); };";
const OWN: &str = "typedef unsigned long OWN;";
const RULES: &str = "
[table.KIND]
kind = \"enumeration\"
values = { SMALL = 1 }
[bind]
OWN = \"KIND\"
[status]
TOY_E_GONE = 0x80040001
[success]
Look = [\"S_FALSE\"]
";

#[test]
fn a_folder_adds_an_interface() {
    let folder = Folder::new(
        "add",
        &[("toy/toy.idl", TOY), ("common/own.idl", OWN), ("toy/rules.toml", RULES)],
    );
    let registry = folder.load().unwrap();
    let toy = registry.interface(Guid::from_u128(10), 2).unwrap();
    assert_eq!((&*toy.name, toy.version, toy.grade), ("toy", (2, 1), Grade::Idl));
    assert!(registry.interface(Guid::from_u128(10), 1).is_none());
    let stub = [1, 0, 0, 0];
    let view = View::new(&stub, &[], &[]);
    let decoded = toy.decode(0, Direction::In, view, 0, NDR).unwrap();
    assert_eq!(fields(&decoded.params), json!({"what": {"value": 1, "name": "SMALL"}}));
    assert!(toy.succeeded(1, 1) && !toy.succeeded(0, 1) && toy.succeeded(0, 0));
    assert_eq!(registry.status_name(Some(toy), 0x8004_0001), Some("TOY_E_GONE"));
    assert!(registry.interface(fsrvp::UUID, 1).is_some(), "the embedded ones stay");
}

#[test]
fn a_directory_of_idl_alone_replaces_an_interface() {
    let idl = "[uuid(a8e0653c-2744-4389-a61d-7373df8b2292), version(1.0)]
               interface Mine { void Nothing(void); }";
    let registry = Folder::new("replace", &[("mine.idl", idl)]).load().unwrap();
    let interface = registry.interface(fsrvp::UUID, 1).unwrap();
    assert_eq!(&*interface.name, "Mine");
    assert_eq!(interface.operations.len(), 1);
}

#[test]
fn errors_say_where_and_what() {
    let check = |name: &str, idl: &str, rules: &str, expect: &str| {
        let files = [("a/a.idl", idl), ("a/rules.toml", rules), ("a/own.idl", OWN)];
        assert_eq!(Folder::new(name, &files).error(), expect);
    };
    check(
        "import",
        "\nimport \"gone.idl\";",
        "",
        "a/a.idl:2:8: there is no file `gone.idl` beside this one or in common",
    );
    check(
        "bind",
        TOY,
        "[bind]\n\"Touch.who\" = \"hex\"",
        "a/rules.toml:2:1: expected Operation.Parameter, Operation.return, Type or Type.Member of \
         this folder's IDL, found `Touch.who`",
    );
    check(
        "format",
        TOY,
        "[bind]\n\"Touch.what\" = \"heks\"",
        "a/rules.toml:2:16: expected decimal, hex, boolean, filetime, status or the name of a table, \
         found `heks`",
    );
    check(
        "success",
        TOY,
        "[success]\nTouch = [\"S_MAYBE\"]",
        "a/rules.toml:2:10: there is no status `S_MAYBE`",
    );
    check(
        "key",
        TOY,
        "[table.A]\nkynd = 1",
        "a/rules.toml:2:1: unknown field `kynd`, expected one of `kind`, `bits`, `values`, `beside`",
    );
    assert!(matches!(
        Registry::load(&[Path::new("/nonexistent").to_owned()]),
        Err(LoadError::Io { .. })
    ));
    let empty = Folder::new("empty", &[("x/readme.txt", "")]);
    assert!(matches!(empty.load(), Err(LoadError::Empty(_))));
}

#[test]
fn the_management_interface_is_known() {
    let registry = Registry::embedded().unwrap();
    let uuid = Guid::try_parse("afa8bd80-7d8a-11c9-bef4-08002b102989").unwrap();
    let mgmt = registry.interface(uuid, 1).unwrap();
    let decode = |opnum, direction, stub: &str| {
        let stub = hex(stub);
        let view = View::new(&stub, &[], &[]);
        let decoded = mgmt.decode(opnum, direction, view, 0, NDR).unwrap();
        assert_eq!((decoded.stop, decoded.used as usize), (None, stub.len()));
        assert_eq!(decoded.notes, []);
        fields(&decoded.params).to_string()
    };
    assert_eq!(
        decode(4, Direction::In, "09000000 00040000"),
        r#"{"authn_proto":{"value":9,"name":"spnego"},"princ_name_size":1024}"#
    );
    assert_eq!(
        decode(4, Direction::Out, "00040000 00000000 03000000 686900 00 00000000"),
        r#"{"princ_name":"hi","status":{"value":"0x00000000","name":"rpc_s_ok"}}"#
    );
    let ids = "
        01000000                                    # if_id_vector: referent
        02000000 02000000                           # max_count of if_id, count
        02000000 03000000                           # if_id
        04030201 0605 0807 090a0b0c0d0e0f10 0100 0000
        04030201 0605 0807 090a0b0c0d0e0f10 0200 0000
        00000000                                    # status";
    let id = "01020304-0506-0708-090a-0b0c0d0e0f10";
    assert_eq!(
        decode(0, Direction::Out, ids),
        format!(
            r#"{{"if_id_vector":{{"count":2,"if_id":[{{"uuid":"{id}","vers_major":1,"vers_minor":0}},{{"uuid":"{id}","vers_major":2,"vers_minor":0}}]}},"status":{{"value":"0x00000000","name":"rpc_s_ok"}}}}"#
        )
    );
}
