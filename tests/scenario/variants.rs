//! Every way to carry a conversation.

use std::fmt::Write as _;

use vshark::rpc::names::FAULTS;

use super::read::{REGISTRY, calls, capture, check};
use vshark::protocol::fsrvp;
use vshark::scenario::Scenario;

/// Every operation, with texts that are cut by any length of fragment and segment.
const EVERYTHING: &str = r"
A:0()=0->1,1
A:1(ctx=0x10)=0
A:2(cid=U1)=0->S1
A:3(S1,'\\fileserver.lab.test\a share with a name that takes more than one small fragment')=0->C1
A:4(S1,to=60000) after 3 s =0
A:5(S1,to=1800000)=WAIT_TIMEOUT
A:6(S1)=BAD_STATE
A:7(nil)=E_INVALIDARG
A:8(\\fs\d)=0->TRUE,FS
A:9(\\fs\d)=0->TRUE,0x3
A:10(C1,S1,\\fs\d,L=1)=0
A:11(S1,C1,\\fs\d)=NOT_FOUND
A:12(S1,to=1800000)=fault nca_s_fault_access_denied_is_not_a_name_but_a_number_is
A close
";

fn everything() -> String {
    let faulty = "nca_s_fault_access_denied_is_not_a_name_but_a_number_is";
    EVERYTHING.replace(faulty, "0x1c010002")
}

#[test]
fn every_variant_of_smb_2_is_read_back() {
    every_variant_is_read_back("smb 2.0.2");
}

#[test]
fn every_variant_of_smb_3_is_read_back() {
    every_variant_is_read_back("smb 3.1.1");
}

#[test]
fn every_variant_of_tcp_is_read_back() {
    every_variant_is_read_back("tcp 49667");
}

fn every_variant_is_read_back(transport: &str) {
    let everything = everything();
    let mut read = 0;
    let axes: [&[&str]; 8] = [
        &["ndr", "ndr64"],
        &["little-endian", "big-endian"],
        &["trailer off", "trailer on"],
        &["channels 1", "channels 2", "channels 3"],
        &["ipv4", "ipv6"],
        &["io transceive", "io write-read"],
        &["fragment 4280", "fragment 192"],
        &["segment 1460", "segment 50"],
    ];
    let all: usize = axes.iter().map(|axis| axis.len()).product();
    for mut number in 0..all {
        let mut header = vec![transport];
        for axis in axes {
            header.push(axis[number % axis.len()]);
            number /= axis.len();
        }
        let text = format!("{}\n{everything}", header.join("; "));
        match check(&text) {
            Ok(13) => read += 1,
            other => panic!("{}: {other:?}", header.join("; ")),
        }
    }
    assert_eq!(read, all);
}

#[test]
fn every_dialect_and_protection_is_read_back() {
    for dialect in ["2.0.2", "2.1", "3.0", "3.0.2", "3.1.1"] {
        for provider in ["ntlm", "kerberos", "spnego ntlm", "spnego kerberos"] {
            for level in ["connect", "call", "packet", "integrity", "privacy"] {
                for fragment in ["192", "4280"] {
                    let head =
                        format!("smb {dialect}; auth {provider} {level}; fragment {fragment}");
                    let text = format!("{head}; object on; trailer on\n{}", everything());
                    let scenario = Scenario::parse("scenario", &text, &REGISTRY).unwrap();
                    assert_eq!(check(&text), Ok(13), "{head}");
                    for call in calls(capture(&scenario)) {
                        let auth = &call.rpc.auth;
                        let number = ["", "", "connect", "call", "packet", "integrity", "privacy"]
                            .iter()
                            .position(|name| *name == level);
                        assert_eq!(Some(usize::from(auth.level)), number, "{head}");
                        let shown = call.pipe().expect("a pipe carries it");
                        assert_eq!(shown.dialect.as_deref(), Some(dialect));
                        assert_eq!(shown.name.as_deref(), Some("FssagentRpc"));
                        if !provider.contains("kerberos") {
                            assert_eq!(shown.user.as_deref(), Some(r"LAB\backup"), "{head}");
                        }
                    }
                }
            }
        }
    }
}

/// Over NDR64 and three channels, with requests and answers on different connections.
#[test]
fn every_opnum_with_every_status_is_read_back() {
    let fsrvp = REGISTRY.interface(fsrvp::UUID, 1).unwrap();
    let statuses: Vec<_> = REGISTRY.statuses_of(Some(fsrvp)).collect();
    assert_eq!(statuses.len(), 11);
    let mut text = "ndr64; channels 3; io write-read; trailer on; object on\n".to_owned();
    for opnum in 0..=12 {
        for (_, name) in &statuses {
            writeln!(text, "A:{opnum}()={name}").unwrap();
        }
        for (fault, _) in FAULTS {
            writeln!(text, "A:{opnum}()=fault {fault}").unwrap();
        }
    }
    assert_eq!(check(&text), Ok(13 * (11 + FAULTS.len())));
    // Requests and answers are on different connections of one session.
    let scenario = Scenario::parse("scenario", &text, &REGISTRY).unwrap();
    let calls = calls(capture(&scenario));
    let apart = calls.iter().filter(|call| {
        let ends = |m: &Option<vshark::rpc::Message>| m.as_ref().map(|m| m.ends.client);
        ends(&call.rpc.request) != ends(&call.rpc.response)
    });
    assert!(apart.count() > 100);
}

#[test]
fn what_is_not_captured_is_not_read() {
    let read = |text: &str| {
        let scenario = Scenario::parse("scenario", text, &REGISTRY).unwrap();
        let calls = calls(capture(&scenario));
        let seen = calls.iter().map(|call| {
            let there = |message: bool| if message { "+" } else { "-" };
            let (asked, answered) = (call.rpc.request.is_some(), call.rpc.response.is_some());
            format!("{:?}{}{}", call.rpc.opnum, there(asked), there(answered))
        });
        seen.collect::<Vec<_>>().join(" ")
    };
    for transport in ["smb 3.1.1", "smb 2.1; io write-read", "tcp 5000", "channels 3"] {
        let told = |middle: &str| read(&format!("{transport}\nA:0()=0\n{middle}\nA:7(S1)=0\n"));
        assert_eq!(told("A:6(S1)=0"), "Some(0)++ Some(6)++ Some(7)++", "{transport}");
        assert_eq!(
            told("lose answer of A:6(S1)=0"),
            "Some(0)++ Some(6)+- Some(7)++",
            "{transport}"
        );
        assert_eq!(told("A:6(S1) unanswered 1 s"), "Some(0)++ Some(6)+- Some(7)++", "{transport}");
        let lost = told("lose request of A:6(S1)=0");
        assert!(lost.starts_with("Some(0)++") && lost.contains("Some(7)++"), "{transport}: {lost}");
        assert!(!lost.contains("Some(6)+"), "{transport}: {lost}");
        let lost = told("lose request, answer of A:6(S1)=0");
        assert_eq!(lost, "Some(0)++ Some(7)++", "{transport}");
    }
    let late = "A:0()=0; capture from here; A:7(S1)=0; A:6(S1)=BAD_STATE";
    assert_eq!(read(late), "Some(7)++ Some(6)++");
}
