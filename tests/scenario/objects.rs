//! Object calls: what is written of activations, objects, enumerators and references is read back.

use std::fmt::Write as _;

use vshark::bytes::Guid;
use vshark::call::Call;
use vshark::report::value;
use vshark::scenario::Scenario;

use super::read::{REGISTRY, calls, capture, check};

fn read(text: &str) -> Vec<Call> {
    let scenario = Scenario::parse("scenario", text, &REGISTRY).unwrap_or_else(|e| panic!("{e}"));
    calls(capture(&scenario))
}

/// A call as one line: port, interface, opnum, what was answered, and the results.
fn told(call: &Call) -> String {
    let interface = call.interface.as_ref().map_or("?", |interface| &*interface.name);
    let mut line = format!("{} {interface}.{}", call.server.addr.port(), call.rpc.opnum.unwrap());
    match (call.fault(), call.status) {
        (Some(fault), _) => write!(line, " fault {fault:#x}").unwrap(),
        (None, Some(status)) => write!(line, " {status:#x}").unwrap(),
        (None, None) => line.push_str(" nothing"),
    }
    let results = call.response.decoded.iter().flat_map(|decoded| &decoded.params);
    for (_, result) in results {
        write!(line, " {}", value::text(result)).unwrap();
    }
    line
}

fn last(text: &str) -> String {
    let calls = read(&format!("dcom\n{text}"));
    told(calls.last().expect("there are calls"))
}

/// The value of a parameter in the text of its JSON.
fn asked(call: &Call, name: &str) -> String {
    let decoded = call.request.decoded.as_ref().expect("the request is read");
    let found = decoded.params.iter().find(|(of, _)| &**of == name);
    value::text(&found.unwrap_or_else(|| panic!("no {name}")).1)
}

const OBJECTS: &str = include_str!("../scenarios/objects.txt");
const REFERENCES: &str = include_str!("../scenarios/references.txt");

#[test]
fn every_way_to_carry_object_calls_is_read_back() {
    let axes: [&[&str]; 6] = [
        &["ndr", "ndr64"],
        &["little-endian", "big-endian"],
        &["fragment 4280; segment 1460", "fragment 192; segment 100"],
        &["trailer off", "trailer on"],
        &["ipv4", "ipv6"],
        &["auth none", "auth ntlm integrity", "auth spnego kerberos privacy"],
    ];
    let all: usize = axes.iter().map(|axis| axis.len()).product();
    for mut number in 0..all {
        let mut header = Vec::new();
        for axis in axes {
            header.push(axis[number % axis.len()]);
            number /= axis.len();
        }
        let header = header.join("; ");
        for (text, settings, count) in [
            (OBJECTS, "dcom; auth ntlm integrity", 27),
            (REFERENCES, "dcom; auth kerberos integrity", 25),
        ] {
            assert!(text.contains(settings));
            let text = text.replace(settings, &format!("dcom; {header}"));
            assert_eq!(check(&text), Ok(count), "{header}");
        }
    }
}

/// The language's page has examples first; they are what they say.
#[test]
fn the_examples_of_the_page_are_played() {
    let page = include_str!("../../src/scenario/mod.rs");
    let page: Vec<&str> = page
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .skip_while(|line| !line.starts_with("## Object calls"))
        .skip_while(|line| !line.starts_with("```"))
        .skip(1)
        .take_while(|line| !line.starts_with("```"))
        .collect();
    assert!(page.len() > 20, "the page has examples");
    let calls = read(&page.join("\n"));
    assert!(calls.len() > 35, "{} calls", calls.len());
}

#[test]
fn enumerators_give_what_they_came_from() {
    const VA: &str = r"\\?\Volume{65bfc6c1-795a-4dd9-a2b2-28eb34f3760e}\";
    const VB: &str = r"\\?\Volume{b6bd2fa9-1a0b-4860-a1b5-fb03c77ebbea}\";
    let volume = |name: &str, display: &str| {
        format!(r#"{{m_pwszVolumeName="{name}" m_pwszVolumeDisplayName="{display}""#)
    };
    let given = |from: &str, elements: &str| {
        let line =
            last(&format!("A:?m1.GPMI()=0->d1; A:{from}=0->e1; A:e1.Next(9)=S_FALSE->{elements}"));
        line.split_once(" 0x1 ").expect("S_FALSE").1.to_owned()
    };
    let vol = "Type=VSS_MGMT_OBJECT_VOLUME Obj=";
    assert_eq!(
        given("m1.QVSS()", "[VA,{VB,display=''}]"),
        format!("[{{{vol}{}}}}}, {{{vol}{}}}}}] 2", volume(VA, r"A:\"), volume(VB, ""))
    );
    assert_eq!(
        given("d1.QVSD(VB)", "[{VA,free=1KB}]"),
        format!(
            "[{{Type=VSS_MGMT_OBJECT_DIFF_VOLUME Obj={} m_llVolumeFreeSpace=1024 \
             m_llVolumeTotalSpace=107374182400}}}}] 1",
            volume(VA, r"A:\")
        )
    );
    for from in ["d1.QDAF(VA)", "d1.QDAO(VA)"] {
        assert_eq!(
            given(from, "[{VA,VB,max=-1,used=0}]"),
            format!(
                r#"[{{Type=VSS_MGMT_OBJECT_DIFF_AREA Obj={{m_pwszVolumeName="{VA}" m_pwszDiffAreaVolumeName="{VB}" m_llMaximumDiffSpace=-1 m_llAllocatedDiffSpace=2147483648 m_llUsedDiffSpace=0}}}}] 1"#
            )
        );
    }
    let snapshots = given(
        "m1.QSBV('B:\\')",
        "[S1,{S2,set=X,count=2,vol=VA,exposed='X:\\',status=0,attr=0x29}]",
    );
    for part in [
        r"HarddiskVolumeShadowCopy1",
        r"HarddiskVolumeShadowCopy2",
        &format!(r#"m_pwszOriginalVolumeName="{VB}""#),
        &format!(r#"m_pwszOriginalVolumeName="{VA}""#),
        r#"m_pwszOriginatingMachine="fs.lab.test" m_pwszServiceMachine="fs.lab.test" m_pwszExposedName=NULL"#,
        r#"m_pwszExposedName="X:\""#,
        "m_lSnapshotsCount=2",
        "m_eStatus=VSS_SS_UNKNOWN",
        "m_tsCreationTimestamp=2026-01-14T12:00:00",
    ] {
        assert!(snapshots.contains(part), "{part} in {snapshots}");
    }
}

#[test]
fn elements_may_be_wrong() {
    let element = |element: &str| {
        let line = last(&format!("A:?e1.Next(1)=0->[{element}]"));
        line.split_once(" 0x0 [").expect("it succeeds").1.to_owned()
    };
    assert_eq!(element("{Type=0}"), "{Type=VSS_MGMT_OBJECT_UNKNOWN Obj={}}] 1");
    assert_eq!(element("{Type=7}"), "{Type=7 Obj={}}] 1");
    assert!(element("{DiffVol=VA}").starts_with("{Type=VSS_MGMT_OBJECT_DIFF_VOLUME Obj={m_pwsz"));
    let wrong = element("{Type=1,disc=3,DiffArea=(VA,VB)}");
    assert!(wrong.starts_with("{Type=VSS_MGMT_OBJECT_VOLUME Obj={m_pwszVolumeName="), "{wrong}");
    assert!(wrong.contains("m_llUsedDiffSpace"), "{wrong}");
    let provider = last("A:?s1.Next(1)=0->[{Type=4}]");
    assert!(provider.contains("m_pwszProviderName=NULL"), "{provider}");
    let names = element("{name=null,display=null}");
    assert!(names.contains("m_pwszVolumeName=NULL m_pwszVolumeDisplayName=NULL"), "{names}");
    // The arm of a volume where that of a storage volume is announced: sixteen octets are missing.
    for order in ["little-endian", "big-endian", "ndr64"] {
        let sizes = |element: &str| {
            let calls = read(&format!("dcom; {order}\nA:?e1.Next(1)=0->[{element}]"));
            let decoded = calls[0].response.decoded.as_ref().unwrap();
            (calls[0].response.bytes, decoded.stop.is_some() || !decoded.notes.is_empty())
        };
        let (whole, well) = sizes("{Vol=VA}");
        assert_eq!((well, sizes("{Type=2,disc=2,Vol=VA}")), (false, (whole, true)), "{order}");
    }
    // Counts that do not agree are told by who reads them.
    let calls = read("dcom\nA:?e1.Next(4)=0->[VA,VB] max=1 fetched=3");
    let decoded = calls[0].response.decoded.as_ref().unwrap();
    let notes: Vec<&str> = decoded.notes.iter().map(|note| &*note.text).collect();
    assert!(notes.len() >= 2 && notes[0].contains("exceed max_count 1"), "{notes:?}");
}

#[test]
fn objects_are_who_they_are_said_to_be() {
    let calls = read(
        "dcom
A activates ->m1; A:m1.QVSS()=0->e1; A:m1.QVSS()=0->e2{same=e1}; A:m1.QVSS()=0->e3{oid=e1}
A:m1.QVSS()=0->e4{iid=IVssEnumObject,refs=1,flags=0x1000}; A:m1.QVSS()=0->e5{objref=handler}
A:m1.QVSS()=0->e6{objref=custom}; A:qi(m1,Diff)=0->d1; A:release(e4,e1); A:e1.Next()=0->[VA]
server restart
A activates ->m2",
    );
    let reference = |n: usize| calls[n].response.decoded.as_ref().unwrap().params[0].1.clone();
    let text = |n: usize, field: &str| {
        reference(n).field(field).map_or_else(|| format!("no {field}"), value::text)
    };
    assert_eq!(text(1, "ipid"), text(2, "ipid"));
    assert_eq!(text(1, "oid"), text(2, "oid"));
    assert_eq!(text(1, "oid"), text(3, "oid"));
    assert_ne!(text(1, "ipid"), text(3, "ipid"));
    assert_eq!(text(4, "iid"), "ae1c7110-2f60-11d3-8a39-00c04f72d8e3");
    assert_eq!((text(4, "public_refs"), text(4, "flags")), ("1".into(), "SORF_NOPING".into()));
    assert_eq!(text(5, "objref"), "OBJREF_HANDLER");
    assert_eq!(text(6, "objref"), "OBJREF_CUSTOM");
    // Requests carry the IPID, and a query gives the OID of who was asked.
    assert_eq!(calls[1].rpc.object.unwrap().to_string(), activated(&calls[0], "ipid"));
    let queried = value::text(&reference(7));
    assert!(queried.contains(&format!("oid={}", activated(&calls[0], "oid"))), "{queried}");
    let released = asked(&calls[8], "InterfaceRefs");
    assert!(released.contains("cPublicRefs=1 ") && released.contains("cPublicRefs=5 "));
    assert_eq!(calls[9].rpc.object.unwrap().to_string(), text(1, "ipid"));
    assert_eq!(activated(&calls[0], "oxid"), text(1, "oxid"));
    assert_ne!(activated(&calls[10], "oxid"), text(1, "oxid"));
}

/// A member of the first reference that an activation gives.
fn activated(call: &Call, field: &str) -> String {
    let decoded = call.response.decoded.as_ref().expect("the response is read");
    let properties = &decoded.params.iter().find(|(of, _)| &**of == "ppActProperties").unwrap().1;
    let list = properties.field("data").and_then(|data| data.field("properties")).unwrap();
    let vshark::ndr::Data::List(list) = &list.data else { panic!("no properties") };
    let pointers = list.items[0].field("PropsOutInfo").unwrap().field("ppIntfData").unwrap();
    let vshark::ndr::Data::List(list) = &pointers.target().data else { panic!("no pointers") };
    value::text(list.items[0].field(field).unwrap())
}

#[test]
fn what_travels_with_a_call_may_be_wrong() {
    let one = |text: &str| {
        let mut calls = read(&format!("dcom\nA:?m1.QVSS()=0->e1\n{text}"));
        (calls.remove(0), calls.pop().expect("there are two"))
    };
    let (first, call) = one("A:e1.Next(1)=0->[VA] object=none");
    assert!(first.rpc.object.is_some() && call.rpc.object.is_none());
    let (first, call) = one("A:e1.Next(1)=0->[VA] object=m1");
    assert_eq!(first.rpc.object, call.rpc.object);
    let (_, call) = one("A:e1.Next(1)=0->[VA] object=00000001-0002-0003-0405-060708090a0b");
    assert_eq!(call.rpc.object, Guid::try_parse("00000001-0002-0003-0405-060708090a0b").ok());
    let (_, call) = one("A:e1.Next(1)=0->[] on=IVssEnumObject port=135");
    assert_eq!(told(&call), "135 IVssEnumObject.3 0x0 [] 0");
    let (_, call) = one("A:e1.Reset()=0 extra=00000000");
    assert_eq!(call.request.bytes, 36);
    let (_, call) = one("A:e1.2()=0");
    assert_eq!((call.request.bytes, call.response.bytes), (32, 12));
    let (_, call) = one("A:e1.Next(1)=E_INVALIDARG this=none that=none");
    assert_eq!((call.request.bytes, call.response.bytes), (4, 20));
    let (_, call) = one("A:IVssSnapshotMgmt.4(P,0x1D)=0->e1");
    assert_eq!(call.rpc.object, None);
    let (_, call) =
        one("A:e1.Next(1)=0->[] this={version=5.1,flags=1,reserved1=7,cid=U1,extensions=[X1]} \
         that={flags=2} error='ist nicht da'");
    let orpc = call.request.orpc.as_ref().expect("ORPCTHIS is read");
    let this = value::text(&orpc.params[0].1);
    for part in ["MajorVersion=5 MinorVersion=1", "flags=ORPCF_LOCAL", "reserved1=7", "size=8"] {
        assert!(this.contains(part), "{part} in {this}");
    }
    let orpc = call.response.orpc.as_ref().expect("ORPCTHAT is read");
    let that = value::text(&orpc.params[0].1);
    assert!(that.contains(r#"Description="ist nicht da""#), "{that}");
    assert!(that.contains("flags=ORPCF_RESERVED1"), "{that}");
}

#[test]
fn strings_may_be_wrong() {
    let string = |argument: &str| {
        let calls = read(&format!("dcom\nA:?d1.QDAF({argument})=fault 0x6f7"));
        let decoded = calls[0].request.decoded.as_ref().unwrap();
        let counts = decoded.params[0].1.as_text().map(|text| {
            (text.counts.max.unwrap().0, text.counts.actual.unwrap().0, text.to_string())
        });
        (counts, decoded.notes.len())
    };
    assert_eq!(string("null"), (None, 0));
    assert_eq!(string(r"'C:\'"), (Some((4, 4, r"C:\".into())), 0));
    let (counts, _) = string(r"{text='C:\x',terminator=no}");
    assert_eq!(counts, Some((4, 4, r"C:\x".into())));
    let (counts, notes) = string(r"{text='C:\',max=2}");
    assert_eq!((counts.map(|counts| counts.0), notes), (Some(2), 1));
    let (counts, _) = string("{units=[67,0,58,0]}");
    assert_eq!(counts.map(|counts| counts.1), Some(4));
}

#[test]
fn who_may_be_refused() {
    assert_eq!(
        last("A activates =E_ACCESSDENIED"),
        "135 IRemoteSCMActivator.4 0x80070005 {flags=0x0 extensions=NULL} NULL"
    );
    assert_eq!(last("A activates =fault 5"), "135 IRemoteSCMActivator.4 fault 0x5");
    assert!(last("A activates unanswered").ends_with("nothing"));
    assert!(last("lose answer of A activates ->m1").ends_with("nothing"));
    assert!(
        last("A activates {via=IActivation} =E_ACCESSDENIED").contains("IActivation.0 0x80070005")
    );
    assert_eq!(last("A:?m1.QVSS()=E_ACCESSDENIED"), "49667 IVssSnapshotMgmt.4 0x80070005 NULL");
    assert_eq!(
        last("A:?m1.QVSS()=fault E_ACCESSDENIED"),
        "49667 IVssSnapshotMgmt.4 fault 0x80070005"
    );
    assert_eq!(last("A:?m1.QVSS(nil)=0->null"), "49667 IVssSnapshotMgmt.4 0x0 NULL");
    assert_eq!(
        last("dcom 50001; A:?m1.6()=fault nca_s_op_rng_error"),
        "50001 IVssSnapshotMgmt.6 fault 0x1c010002"
    );
    assert_eq!(
        last("A:?d1.8()=fault nca_s_op_rng_error"),
        "49667 IVssDifferentialSoftwareSnapshotMgmt.8 fault 0x1c010002"
    );
}

#[test]
fn clients_and_servers_have_objects_of_their_own() {
    let text = include_str!("../scenarios/objects-overlap.txt");
    let calls = read(text);
    let ends: Vec<String> = calls
        .iter()
        .map(|call| format!("{}>{}", call.client.addr.ip(), call.server.addr))
        .collect();
    let (a, b) = ("10.0.0.1", "10.0.0.2");
    let (fs, fs2) = ("10.0.1.1", "10.0.1.2");
    let expect = [
        format!("{a}>{fs}:135"),
        format!("{b}>{fs2}:135"),
        format!("{b}>{fs}:135"),
        format!("{a}>{fs}:50001"),
        format!("{b}>{fs}:50001"),
        format!("{b}>{fs2}:50001"),
    ];
    assert_eq!(ends[..6], expect);
    // Who waits for an answer asks on another connection; the late answer is the first question's.
    let ports: Vec<u16> = calls.iter().map(|call| call.client.addr.port()).collect();
    assert_ne!(ports[6], ports[7]);
    for (call, volume) in calls[6..8].iter().zip(["A", "B"]) {
        let told = told(call);
        assert!(told.contains("IVssEnumMgmtObject.3 0x0"), "{told}");
        assert!(told.contains(&format!("\"{volume}:\\\"")), "{told}");
    }
    // A second line has connections of its own.
    assert!(!ports[3..9].contains(&ports[10]));
    let elsewhere = read(
        "server FS; server FS2; dcom
A activates ->m1; A->FS2:m1.QVSS()=fault RPC_E_INVALID_OBJECT",
    );
    assert_eq!(elsewhere[1].server.addr.to_string(), format!("{fs2}:49667"));
}

#[test]
fn an_object_may_be_reached_over_a_pipe() {
    let calls = read(include_str!("../scenarios/objects-before.txt"));
    let last = calls.last().expect("there are calls");
    assert_eq!(last.pipe().expect("a pipe carries it").name.as_deref(), Some("vss"));
    assert!(last.rpc.object.is_some());
    assert_eq!(calls[0].server.addr.port(), 49667);
}

/// Privacy that begins with the calls of objects hides these and not the activation.
#[test]
fn only_what_is_sealed_is_sealed() {
    use vshark::call::Readable;
    let text = "dcom; auth ntlm integrity; A activates ->m1; A auth ntlm privacy
A:m1.QVSS()=0->e1; A:release(e1); A auth none; A:m1.QVSS()=0->e1";
    assert_eq!(check(text), Ok(4));
    let seen: Vec<_> = read(text).iter().map(|call| call.request.readable).collect();
    let (clear, sealed) = (Readable::Clear, Readable::Sealed);
    assert_eq!(seen, [clear, sealed, sealed, clear]);
}

/// A text has few words for much: what they stand for is counted, too.
#[test]
fn texts_that_stand_for_much_are_refused() {
    let many = "VA,".repeat(100_001);
    let text = format!("dcom; A:?e1.Next()=0->[{many}VA]");
    let said = Scenario::parse("s", &text, &REGISTRY).unwrap_err().to_string();
    assert!(said.ends_with("more than 100000 steps"), "{said}");
}

#[test]
fn what_is_not_understood_is_told() {
    let said = |text: &str| match Scenario::parse("s", &format!("dcom; {text}"), &REGISTRY) {
        Ok(_) => "this is understood".to_owned(),
        Err(error) => error.to_string(),
    };
    for (text, expect) in [
        ("A:m1.QVSS()=0", "s:1:9: there is no object or interface `m1`"),
        (
            "A:?x1.QVSS()=0",
            "s:1:9: the interface of `x1` is not known: m, d, e and s begin such names",
        ),
        ("A:?m1.QVSX()=0", "s:1:9: IVssSnapshotMgmt has no method `QVSX`"),
        ("A:release(e1)", "s:1:17: there is no object `e1`"),
        ("A:release()", "s:1:9: which object is to release?"),
        (
            "A activates {clas=nil}",
            "s:1:20: expected class, iids, via, level, refs or towers, found `clas`",
        ),
        ("A activates ->m1,m2", "s:1:24: 1 interfaces were asked for"),
        (
            "A:?m1.QVSS()=0->e1{ref=1}",
            "s:1:26: expected iid, refs, flags, same, oid, oxid, ipid, or objref=standard, handler, custom or extended, found `ref=1`",
        ),
        ("A:?m1.QVSS()=0 port=0", "s:1:22: expected a port, found `0`"),
        ("A:?e1.Next()=0->[{VA,size=1}]", "s:1:28: expected a member of Vol, found `size`"),
        ("object e1 IVssEnumMgmt", "s:1:17: there is no interface `IVssEnumMgmt`"),
        (
            "object e1 EnumM from=QVXX",
            "s:1:23: expected from=QVSS, volume=VA, refs=5 or ipid=GUID, found `from=QVXX`",
        ),
        ("A:simpleping(g1)", "s:1:20: there is no set of pings `g1`"),
        ("smb 3.1.1; A activates ->m1", "s:1:20: objects are activated where `dcom` is set"),
        ("smb 3.1.1; A:0() extra=00", "s:1:24: `extra` is said of calls of DCOM only"),
    ] {
        assert_eq!(said(text), expect, "{text}");
    }
}
