//! Interfaces by name only: the embedded tables, those of the user, and errors that say where.

use super::loading::Folder;
use super::*;

/// Interface, UUID, version, number of its operations, and one of them, as the documents have them.
type Documented = (&'static str, &'static str, (u16, u16), usize, (u16, &'static str));

const DOCUMENTED: &[Documented] = &[
    ("lsarpc", "12345778-1234-abcd-ef00-0123456789ab", (0, 0), 142, (77, "LsarLookupNames4")),
    ("samr", "12345778-1234-abcd-ef00-0123456789ac", (1, 0), 78, (64, "SamrConnect5")),
    ("logon", "12345678-1234-abcd-ef00-01234567cffb", (1, 0), 60, (26, "NetrServerAuthenticate3")),
    ("svcctl", "367abb81-9844-35f1-ad32-98f038001003", (2, 0), 65, (15, "ROpenSCManagerW")),
    (
        "winreg",
        "338cd001-2244-31f1-aaaa-900038001003",
        (1, 0),
        36,
        (24, "BaseInitiateSystemShutdown"),
    ),
    ("wkssvc", "6bffd098-a112-3610-9833-46c3f87e345a", (1, 0), 38, (20, "NetrGetJoinInformation")),
    (
        "winspool",
        "12345678-1234-abcd-ef00-0123456789ab",
        (1, 0),
        124,
        (89, "RpcAddPrinterDriverEx"),
    ),
    (
        "IRemoteWinspool",
        "76f03f96-cdfd-44fc-a22c-64950a001209",
        (1, 0),
        75,
        (0, "RpcAsyncOpenPrinter"),
    ),
    ("drsuapi", "e3514235-4b06-11d1-ab04-00c04fc2dcd2", (4, 0), 31, (3, "IDL_DRSGetNCChanges")),
    ("efsrpc", "c681d488-d850-11d0-8c52-00c04fd90f7e", (1, 0), 45, (0, "EfsRpcOpenFileRaw")),
    ("efsrpc", "df1941c5-fe89-4e79-bf10-463657acf44d", (1, 0), 45, (4, "EfsRpcEncryptFileSrv")),
    ("Witness", "ccd8c074-d0e5-4a40-92b4-d074faa6ba28", (1, 1), 6, (3, "WitnessrAsyncNotify")),
    ("netdfs", "4fc742e0-4a10-11cf-8273-00aa004ae673", (3, 0), 26, (21, "NetrDfsEnumEx")),
    ("eventlog", "82273fdc-e32a-18c3-3f78-827929dc23ea", (0, 0), 27, (9, "ElfrOpenBELW")),
    (
        "IEventService",
        "f6beaff7-1e19-4fbb-9f8f-b89e2018337c",
        (1, 0),
        29,
        (5, "EvtRpcRegisterLogQuery"),
    ),
    (
        "ITaskSchedulerService",
        "86d35949-83c9-4044-b424-db363231fd0c",
        (1, 0),
        20,
        (1, "SchRpcRegisterTask"),
    ),
    ("IWbemServices", "9556dc99-828c-11cf-a37e-00aa003240c7", (0, 0), 23, (20, "ExecQuery")),
    ("IObjectExporter", "99fcfec4-5260-101b-bbcb-00aa0021347a", (0, 0), 6, (5, "ServerAlive2")),
    ("IRemUnknown2", "00000143-0000-0000-c000-000000000046", (0, 0), 4, (6, "RemQueryInterface2")),
    (
        "IVssSnapshotMgmt",
        "fa7df749-66e7-4986-a27f-e2f04ae53772",
        (0, 0),
        3,
        (5, "QuerySnapshotsByVolume"),
    ),
    ("IVssEnumMgmtObject", "01954e6b-9254-4e6e-808c-c9e05d007696", (0, 0), 4, (6, "Clone")),
];

#[test]
fn the_tables_say_what_the_documents_say() {
    let registry = Registry::embedded().unwrap();
    for (name, uuid, version, count, (opnum, method)) in DOCUMENTED {
        let uuid = Guid::try_parse(uuid).unwrap();
        let interface = registry.interface(uuid, version.0).unwrap_or_else(|| panic!("{name}"));
        assert_eq!((&*interface.name, interface.version), (*name, *version));
        assert_eq!(interface.operations.len(), *count, "{name}");
        assert_eq!(&*interface.operation(*opnum).unwrap().name, *method, "{name}");
    }
}

#[test]
fn no_interface_is_in_two_places() {
    let mut known = std::collections::BTreeMap::new();
    for interface in load::embedded(&load::common_status().unwrap()).unwrap() {
        let before = known.insert((interface.uuid, interface.version.0), interface.name.clone());
        // What has an IDL needs no table.
        assert_eq!(before, None, "{}", interface.name);
        // A reserved operation says its number, which must be its place.
        for operation in &interface.operations {
            let reserved = operation.name.strip_prefix("Opnum").unwrap_or_default();
            let digits: String = reserved.chars().take_while(char::is_ascii_digit).collect();
            if let Ok(number) = digits.parse::<u16>() {
                assert_eq!(operation.opnum, number, "{}", interface.name);
            }
        }
    }
    assert!(known.len() > 100, "{} interfaces", known.len());
}

const NAMED: &str = "[[interface]]
name = \"toy\"
uuid = \"00000000-0000-0000-0000-00000000000A\"
version = \"2.1\"
methods = [\"Touch\", \"Look\"]
[[interface]]
name = \"IToy\"
uuid = \"00000000-0000-0000-0000-00000000000b\"
version = \"0.0\"
object = true
methods = [\"Touch\"]
";

#[test]
fn a_folder_may_hold_names_alone() {
    for path in ["names.toml", "toys/names.toml"] {
        let folder = Folder::new("names", &[(path, NAMED)]);
        let registry = folder.load().unwrap();
        let of = |last: u128| registry.interface(Guid::from_u128(last), 2 * u16::from(last == 0xa));
        let toy = of(0xa).unwrap();
        assert_eq!((&*toy.name, toy.version, toy.grade), ("toy", (2, 1), Grade::Names));
        assert_eq!(&*toy.operation(1).unwrap().name, "Look");
        let stub = hex("01000000");
        let view = View::new(&stub, &[], &[]);
        assert!(toy.decode(1, Direction::In, view, 0, NDR).is_none(), "nobody knows its types");
        let itoy = of(0xb).unwrap();
        assert!(itoy.object && itoy.operation(0).is_none());
        assert_eq!(&*itoy.operation(3).unwrap().name, "Touch");
    }
}

#[test]
fn names_replace_names_and_no_idl() {
    let again = "[[interface]]
        name = \"mine\"
        uuid = \"UUID\"
        version = \"1.7\"
        methods = []";
    for (uuid, name) in [
        ("a8e0653c-2744-4389-a61d-7373df8b2292", "FileServerVssAgent"),
        ("12345778-1234-abcd-ef00-0123456789ac", "mine"),
    ] {
        let folder = Folder::new("names-replace", &[("names.toml", &again.replace("UUID", uuid))]);
        let registry = folder.load().unwrap();
        let interface = registry.interface(Guid::try_parse(uuid).unwrap(), 1).unwrap();
        assert_eq!(&*interface.name, name);
    }
}

#[test]
fn errors_say_where() {
    #[track_caller]
    fn check(from: &str, to: &str, error: &str) {
        assert!(NAMED.contains(from));
        let folder = Folder::new("names-error", &[("names.toml", &NAMED.replacen(from, to, 1))]);
        assert_eq!(folder.error(), error);
    }
    check(
        "000A",
        "00AX",
        "names.toml:3:8: expected a UUID, found `00000000-0000-0000-0000-0000000000AX`",
    );
    check("2.1", "2", "names.toml:4:11: expected a version such as 1.0, found `2`");
    check("\"Look\"", "\"Touch\"", "names.toml:5:21: expected every method once, found `Touch`");
    check(
        "000b\"\nversion = \"0.0\"",
        "000a\"\nversion = \"2.0\"",
        "names.toml:8:8: this interface is there twice",
    );
    check(
        "object",
        "objekt",
        "names.toml:10:1: unknown field `objekt`, expected one of `name`, `uuid`, `version`, `object`, `methods`",
    );
    let many: Vec<String> = (0..=65536).map(|n| format!("\"M{n}\"")).collect();
    let text = NAMED.replacen("\"Touch\", \"Look\"", &many.join(",\n"), 1);
    let folder = Folder::new("names-many", &[("names.toml", &text)]);
    assert_eq!(
        folder.error(),
        "names.toml:65541:1: expected at most 65536 methods, found `M65536`"
    );
}
