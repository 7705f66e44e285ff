//! An independent judge: what tshark makes of captures made here.

use std::path::PathBuf;
use std::process::Command;

use vshark::bytes::Guid;
use vshark::ndr::Value;
use vshark::scenario::{Answered, Scenario, Written};

use super::read::{REGISTRY, capture};

/// A dozen ways to carry the same calls, all of which tshark reads.
const VARIANTS: &[&str] = &[
    "smb 2.0.2",
    "smb 2.1; io write-read",
    "smb 3.0; channels 1; segment 200",
    "smb 3.0.2; ipv6",
    "smb 3.1.1; object on; trailer on",
    "ndr64; trailer on",
    "big-endian",
    "ndr64; auth ntlm integrity; fragment 192",
    "auth spnego integrity; fragment 1432",
    "auth spnego kerberos integrity; object on",
    "auth kerberos packet; io write-read",
    "auth ntlm connect; user anonymous",
    "fragment 192; segment 16; signing off",
];

const CALLS: &str = r"
A:0()=0->1,1; A:8(\\fs\d)=0->TRUE,FS; A:9('\\fs\a b c')=0->FALSE,1
A:1(ctx=0x9)=0; A:2(cid=U1)=0->S1; A:3(S1,\\fs\d)=0->C1; A:3(S1,\\fs\d)=ALREADY_EXISTS
A:12(S1,to=1800000) after 2 s =0; A:4(S1,to=60000)=FSSAGENT_TIMEOUT; A:5(S1,to=1800000)=0
A:10(C1,S1,\\fs\d,L=1)=0->\\fs\d@{C1}; A:6(S1)=0; A:7(nil)=E_INVALIDARG
B:11(S1,C1,\\fs\d)=NOT_FOUND; wait 5 min; B:1(ctx=0)=fault nca_s_fault_remote_no_memory
A:12(S1)=WAIT_FAILED; A close; A:0()=0; A disconnect; B logoff
";

/// The methods that name a share.
const SHARES: [&str; 5] = [
    "AddToShadowCopySet",
    "IsPathSupported",
    "IsPathShadowCopied",
    "GetShareMapping",
    "DeleteShareMapping",
];

fn tshark(file: &PathBuf, more: &[&str]) -> String {
    let output = Command::new("tshark")
        .args(["-n", "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-r"])
        .arg(file)
        .args(more)
        .output()
        .expect("tshark runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn file(name: &str, text: &str) -> (PathBuf, Vec<Written>) {
    let scenario = Scenario::parse(name, text, &REGISTRY).unwrap_or_else(|e| panic!("{e}"));
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("scenario-{name}.pcapng"));
    std::fs::write(&path, capture(&scenario)).expect("the test's folder can be written");
    (path, scenario.calls())
}

#[test]
fn tshark_finds_nothing_wrong_and_reads_the_same() {
    if !crate::oracle::is_installed() {
        return;
    }
    for (n, variant) in VARIANTS.iter().enumerate() {
        let (path, written) = file(&format!("judge-{n}"), &format!("{variant}\n{CALLS}"));
        let wrong = "_ws.malformed || tcp.analysis.flags || _ws.expert.severity==error || \
                     tcp.checksum.status==0 || ip.checksum.status==0";
        assert_eq!(tshark(&path, &["-Y", wrong]), "", "{variant}");
        // PDUs: a row for each request, answer and fault of whose stub the last fragment is there.
        let fields: Vec<String> =
            SHARES.iter().map(|of| format!("fsrvp.fsrvp_{of}.ShareName")).collect();
        let mut args = vec!["-Y", "dcerpc.pkt_type in {0,2,3} && dcerpc.cn_flags.last_frag==1"];
        args.extend(["-T", "fields", "-E", "occurrence=l"]);
        args.extend(["-e", "dcerpc.pkt_type", "-e", "dcerpc.opnum", "-e", "fsrvp.status"]);
        args.extend(fields.iter().flat_map(|field| ["-e", field.as_str()]));
        let told = tshark(&path, &args);
        let told: Vec<Vec<String>> = told
            .lines()
            .map(|line| {
                let mut cells = line.split('\t').map(str::to_owned);
                let mut row: Vec<String> = cells.by_ref().take(3).collect();
                // One of the columns of shares has one.
                row.push(cells.collect());
                row
            })
            .collect();
        let expect: Vec<Vec<String>> = written.iter().flat_map(rows).collect();
        assert_eq!(told.len(), expect.len(), "{variant}");
        for (told, expect) in told.iter().zip(&expect) {
            assert_eq!(told, expect, "{variant}");
        }
    }
}

/// What tshark has to say of a call: type, opnum, share, status.
fn rows(call: &Written) -> [Vec<String>; 2] {
    let request = call.request.as_ref().expect("no stub is given as octets");
    let share = request.params.iter().find(|(name, _)| &**name == "ShareName");
    let share = share.and_then(|(_, value)| value.as_text()).map(ToString::to_string);
    let opnum = call.opnum.to_string();
    let asked = vec!["0".to_owned(), opnum.clone(), String::new(), share.unwrap_or_default()];
    let (kind, status) = match &call.answer {
        Some(Answered::Fault(_)) => ("3", String::new()),
        Some(Answered::Results(results)) => {
            let status = results.ret.as_ref().and_then(Value::as_u32).expect("it returns one");
            ("2", format!("0x{status:08x}"))
        }
        _ => panic!("every call here is answered"),
    };
    [asked, vec![kind.to_owned(), opnum, status, String::new()]]
}

/// Names and numbers of the layers below, as tshark has them.
#[test]
fn tshark_reads_the_same_names() {
    if !crate::oracle::is_installed() {
        return;
    }
    let text = r"user LAB\somebody; server FS7; A->FS7:8(\\fs7\d)=0; A close; A disconnect";
    let (path, _) = file("names", text);
    let field = |filter: &str, field: &str| {
        tshark(&path, &["-Y", filter, "-T", "fields", "-e", field]).trim().to_owned()
    };
    assert_eq!(field("ntlmssp.messagetype==3", "ntlmssp.auth.username"), "somebody");
    assert_eq!(field("ntlmssp.messagetype==3", "ntlmssp.auth.domain"), "LAB");
    assert_eq!(field("ntlmssp.messagetype==3", "ntlmssp.auth.hostname"), "CLIENT-A");
    let nb = "ntlmssp.challenge.target_info.nb_computer_name";
    assert_eq!(field("ntlmssp.messagetype==2", nb), "FS7");
    assert_eq!(field("smb2.cmd==3 && smb2.flags.response==0", "smb2.tree"), r"\\FS7\IPC$");
    assert_eq!(field("smb2.cmd==5 && smb2.flags.response==0", "smb2.filename"), "FssagentRpc");
    assert_eq!(field("smb2.cmd==0 && smb2.flags.response==1", "smb2.dialect"), "0x0311");
    let interface = field("dcerpc.pkt_type==11", "dcerpc.cn_bind_to_uuid");
    let first = interface.split(',').next().and_then(|uuid| Guid::try_parse(uuid).ok());
    assert_eq!(first, Some(vshark::protocol::fsrvp::UUID));
}

/// What comes before a conversation, and how a server ends one.
#[test]
fn tshark_reads_what_comes_before_and_how_it_ends() {
    if !crate::oracle::is_installed() {
        return;
    }
    let text = r"
A name FS2.lab.test; A name nas.lab.test unknown; A name nas unknown SERVFAIL; A name NAS unknown netbios
A name FS2 netbios
A ticket cifs/fs2 refused KDC_ERR_S_PRINCIPAL_UNKNOWN; A ticket cifs/fs2 refused SKEW udp
A connect refused; A connect refused ICMP; A connect unanswered; wait 1s
A logon refused KRB_AP_ERR_MODIFIED; A disconnect; A logon guest
A referral \lab\dfs\data; A referral \lab\dfs\x refused STATUS_NOT_FOUND
A bind refused STATUS_PIPE_BROKEN; A close; A bind unanswered; A close
A:8=0; A:4(S1)=pipe STATUS_INVALID_PARAMETER; A close; A bind unanswered; FS2 restart
";
    for variant in ["ipv4", "ipv6"] {
        let (path, _) = file(&format!("before-{variant}"), &format!("{variant}\n{text}"));
        let fields = |filter: &str, fields: &[&str]| -> Vec<String> {
            let mut args = vec!["-Y", filter, "-T", "fields"];
            args.extend(fields.iter().flat_map(|field| ["-e", field]));
            tshark(&path, &args).lines().map(|line| line.replace('\t', " ")).collect()
        };
        let wrong = "_ws.malformed || _ws.expert.severity==error || tcp.checksum.status==0 || \
                     udp.checksum.status==0 || ip.checksum.status==0 || icmp.checksum.status==0";
        assert_eq!(fields(wrong, &["frame.number"]), [""; 0], "{variant}");
        let (kind, address) = match variant {
            "ipv4" => ("1", "dns.a"),
            _ => ("28", "dns.aaaa"),
        };
        let names = fields(
            "dns.flags.response==1",
            &["dns.qry.name", "dns.qry.type", "dns.flags.rcode", address],
        );
        let ip = if variant == "ipv4" { "10.0.1.1" } else { "fd00::1:1" };
        let expect = [
            format!("FS2.lab.test {kind} 0 {ip}"),
            format!("nas.lab.test {kind} 3 "),
            format!("nas {kind} 2 "),
        ];
        assert_eq!(names, expect, "{variant}");
        let netbios = fields("nbns.flags.response==1", &["nbns.flags.opcode", "nbns.flags.rcode"]);
        // NetBIOS has no IPv6 address to give.
        let second = if variant == "ipv4" { "0 0" } else { "0 3" };
        assert_eq!(netbios, ["0 3", second], "{variant}");
        let errors = fields("kerberos.error_code", &["kerberos.error_code", "kerberos.realm"]);
        assert_eq!(errors, ["7 LAB.TEST", "37 LAB.TEST", "41 LAB.TEST"], "{variant}");
        let asked = fields("kerberos.msg_type==12", &["kerberos.till"]);
        assert_eq!(asked.len(), 2, "{variant}");
        let icmp = match variant {
            "ipv4" => fields("icmp", &["icmp.type", "icmp.code", "tcp.dstport"]),
            _ => fields("icmpv6", &["icmpv6.type", "icmpv6.code", "tcp.dstport"]),
        };
        let expect = if variant == "ipv4" { "3 13 445" } else { "1 1 445" };
        assert_eq!(icmp, [expect], "{variant}");
        let syns = "tcp.flags.syn==1 && tcp.flags.ack==0 && tcp.analysis.retransmission";
        assert_eq!(fields(syns, &["frame.number"]).len(), 4, "{variant}");
        let guest = "smb2.ses_flags.guest==1 && smb2.nt_status==0";
        assert_eq!(fields(guest, &["smb2.cmd"]), ["1"], "{variant}");
        let dfs = "smb2.nt_status==0xc0000225 || \
                   (smb2.ioctl.function==0x00060194 && smb2.flags.response==1)";
        assert_eq!(fields(dfs, &["smb2.nt_status"]), ["0x00000000", "0xc0000225"], "{variant}");
        let target = fields("smb.dfs.referral.node", &["smb.dfs.referral.node"]);
        assert_eq!(target, [r"\FS2\data"], "{variant}");
        let failed =
            "smb2.flags.response==1 && smb2.nt_status in {0xc000014b, 0xc000000d, 0xc0000120}";
        let failed = fields(failed, &["smb2.cmd", "smb2.nt_status"]);
        assert_eq!(failed, ["8 0xc000014b", "8 0xc0000120", "11 0xc000000d"], "{variant}");
        let resets = fields("tcp.flags.reset==1", &["tcp.srcport"]);
        assert_eq!(resets, ["445", "445"], "{variant}");
    }
}

/// Object calls: what tshark makes of their binds, opnums, object UUIDs and references.
#[test]
fn tshark_reads_the_same_objects() {
    if !crate::oracle::is_installed() {
        return;
    }
    let texts = [
        (include_str!("../scenarios/objects.txt"), "dcom; auth ntlm integrity"),
        (include_str!("../scenarios/references.txt"), "dcom; auth kerberos integrity"),
    ];
    let variants = [
        "dcom",
        "dcom; auth ntlm integrity; fragment 192; segment 200",
        "dcom; auth spnego kerberos packet; ipv6; trailer on",
        "dcom; big-endian",
        "dcom; ndr64; auth ntlm connect",
        "dcom 50001; auth kerberos privacy",
    ];
    for (which, (text, settings)) in texts.iter().enumerate() {
        for (n, variant) in variants.iter().enumerate() {
            let text = text.replace(settings, variant);
            let (path, written) = file(&format!("objects-{which}-{n}"), &text);
            // It does not read NDR64.
            let errors = "_ws.malformed || _ws.expert.severity==error || ";
            let shape = if variant.contains("ndr64") { "" } else { errors };
            let wrong = "tcp.analysis.flags || tcp.checksum.status==0 || ip.checksum.status==0";
            let wrong = format!("{shape}{wrong}");
            assert_eq!(tshark(&path, &["-Y", &wrong]), "", "{variant}");
            let asked = "dcerpc.pkt_type==0 && dcerpc.cn_flags.last_frag==1";
            let fields = ["-e", "dcerpc.opnum", "-e", "dcerpc.obj_id"];
            let mut args = vec!["-Y", asked, "-T", "fields", "-E", "occurrence=l"];
            args.extend(fields);
            let told = tshark(&path, &args);
            let expect: Vec<String> = written
                .iter()
                .map(|call| {
                    let object = call.object.map(|id| id.to_string()).unwrap_or_default();
                    format!("{}\t{object}", call.opnum)
                })
                .collect();
            assert_eq!(told.lines().collect::<Vec<_>>(), expect, "{variant}");
        }
        // In clear it follows references to where they lead.
        let (path, written) = file(&format!("objects-{which}"), &text.replace(settings, "dcom"));
        let ipids = tshark(&path, &["-Y", "dcom.ipid", "-T", "fields", "-e", "dcom.ipid"]);
        let called: Vec<String> =
            written.iter().filter_map(|call| call.object).map(|id| id.to_string()).collect();
        let issued = called.iter().filter(|id| ipids.contains(id.as_str())).count();
        assert!(issued > 4, "{issued} of {} calls are of objects it knows", called.len());
        let ports = tshark(
            &path,
            &[
                "-Y",
                "dcom.dualstringarray.network_addr",
                "-T",
                "fields",
                "-e",
                "dcom.dualstringarray.network_addr",
            ],
        );
        assert!(ports.contains("10.0.1.1[49667]"), "{ports}");
    }
}
