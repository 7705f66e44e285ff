//! Which calls an expression chooses, and what a column says, in a capture whose calls are known.

use super::{CALLS, REGISTRY, calls, chosen, column};

/// The backup's calls: 1 and 4 ask whether the path is supported, 2 and 5 for the versions, 3 and 13
/// whether there is a copy (refused), 6 to 11 make one, 12 and 14 ask for its share, 15 and 16 end.
#[track_caller]
fn check(text: &str, expect: &[u64]) {
    assert_eq!(chosen(text, &CALLS), expect, "{text}");
}

fn all() -> Vec<u64> {
    (1..=16).collect()
}

#[test]
fn protocols_interfaces_and_operations() {
    for text in ["fsrvp", "FileServerVssAgent", "dcerpc", "smb", "smb2", "n", "FSRVP", "", " \n"] {
        check(text, &all());
    }
    for text in ["mgmt", "!fsrvp", "interface.name == mgmt"] {
        check(text, &[]);
    }
    for text in [
        "fsrvp.SetContext",
        "fsrvp.fsrvp_SetContext",
        "method == SetContext",
        "opnum == 1",
        "fsrvp.opnum eq 0x1",
        "dcerpc.opnum == SetContext",
        "fsrvp.method == \"SetContext\"",
    ] {
        check(text, &[6]);
    }
}

#[test]
fn numbers_sets_and_bits() {
    check("opnum in {3..5}", &[8, 10, 11]);
    check("opnum in {3 .. 5, 0x8,12}", &[1, 4, 8, 9, 10, 11]);
    check("opnum not in {0..9}", &[9, 12, 14, 16]);
    check("opnum > 10", &[9, 16]);
    check("opnum ge 11 and opnum le 0b1100", &[9, 16]);
    check("n & 8", &[8, 9, 10, 11, 12, 13, 14, 15]);
    check("n & 9 == 8", &[8, 10, 12, 14]);
    check("n bitwise_and 12 == 0", &[1, 2, 3, 16]);
    check("n & 0", &[]);
    check("n == -1", &[]);
}

#[test]
fn names_of_numbers() {
    check("status == FSRVP_E_NOT_SUPPORTED", &[3, 13]);
    check("status == 0x8004230c", &[3, 13]);
    check("fsrvp.status != ZERO", &[3, 13]);
    check("status.value == \"FSRVP_E_NOT_SUPPORTED\"", &[3, 13]);
    check("status.name contains NOT_SUPP", &[3, 13]);
    check("outcome == failed", &[3, 13]);
    check("fsrvp.Context & ATTR_AUTO_RECOVERY", &[6]);
    check("fsrvp.Context & ATTR_NO_WRITERS", &[]);
    check("fsrvp.Context == 0x400000", &[6]);
    check("fsrvp.Context == CTX_BACKUP", &[]);
    check("request.Context.flags == ATTR_AUTO_RECOVERY", &[6]);
    check("fsrvp.SupportedByThisProvider == true", &[1, 4]);
    check("fsrvp.SupportedByThisProvider == 1", &[1, 4]);
    check("fsrvp.MinVersion == FSRVP_RPC_VERSION_1", &[2, 5]);
}

#[test]
fn text() {
    check("fsrvp.ShareName contains \"FSS1\"", &[1, 3, 13]);
    check("fsrvp.ShareName contains 'fss1'", &[4, 8, 12, 14, 16]);
    check("fsrvp.ShareName matches fss1", &[1, 3, 4, 8, 12, 13, 14, 16]);
    check("fsrvp.ShareName matches \"(?-i)fss1\"", &[4, 8, 12, 14, 16]);
    check("fsrvp.ShareName ~ r\"^\\\\\\\\FSS1\\\\.*\\\\$\" && n < 4", &[1, 3]);
    check("request.ShareName contains r\"\\\\FSS1\\fsrvp\" or n == 9", &[1, 3, 9, 13]);
    check("request.ShareName == \"\\\\\\\\FSS1\\\\fsrvp_share\\\\\"", &[1, 3, 13]);
    check("request.ShareName == \\\\FSS1\\fsrvp_share\\", &[1, 3, 13]);
    check("method < D", &[8, 10]);
    check("pipe == FssagentRpc", &all());
    check("smb2.filename === \"\\x46\\u0073sagentRpc\"", &all());
    check("server.name == FSS1 and client.name == VM", &all());
}

#[test]
fn guids_times_and_lengths() {
    check("fsrvp.ShadowCopySetId == 958131cf-0000-0000-0000-000000000000", &[]);
    let set = column("fsrvp.pShadowCopySetId", &CALLS[6], &REGISTRY);
    check(&format!("fsrvp.ShadowCopySetId == {set}"), &[8, 9, 10, 11, 12, 14, 15, 16]);
    check(&format!("fsrvp.pShadowCopySetId == \"{{{set}}}\""), &[7]);
    check("interface.uuid == A8E0653C-2744-4389-A61D-7373DF8B2292", &all());
    check("elapsed > 10ms", &[4, 8, 10, 16]);
    check("elapsed >= 31.375ms", &[10]);
    check("elapsed > .02", &[10, 16]);
    check("elapsed_ms > 20", &[10, 16]);
    check("elapsed_ms > 0.02s", &[10, 16]);
    check("dcerpc.time in {160us..200us}", &[6, 7]);
    check("time >= 2026-11-22T17:49:18.742495Z", &[15, 16]);
    check("time > \"2026-11-22 17:49:18.742495\"", &[16]);
    check("frame.time < \"Nov 22, 2026 17:49:18.640\"", &[1]);
    check("frame.time_epoch > 1795369758.7767", &[]);
    check("frame.time_epoch > 1795369758.776", &[16]);
    // A FILETIME, which is a time as any other.
    check("fsrvp.CreationTimestamp == \"2026-11-22 17:49:18\"", &[12, 14]);
    check("fsrvp.fssagent_share_mapping_1.tstamp > 2026-11-22T17:49:18Z", &[]);
}

#[test]
fn addresses_and_frames() {
    check("ip.addr == 10.77.0.11", &all());
    check("ip.addr == 10.77.0.0/24", &all());
    check("ip.addr == 0.0.0.0/0", &all());
    check("ip.addr == ::/0", &[]);
    check("ip.src == 10.77.0.11", &all());
    check("client.ip == 10.77.0.1", &[]);
    check("server.ip in {10.77.0.0/28}", &all());
    check("ip.addr in {10.77.0.2..10.77.0.20} and n == 1", &[1]);
    check("tcp.srcport == 445 && tcp.dstport == 445 && n == 2", &[2]);
    check("ipv6.addr", &[]);
    check("frame.number == 69", &[8]);
    check("frames == 67 && frames == 69", &[8]);
    check("frames.request >= 101", &[15, 16]);
    check("frames.response in {1..40}", &[1, 2]);
    check("files == file and n == 1", &[1]);
    let v6 = calls("i-real-ipv6-sign.pcap");
    assert_eq!(chosen("ipv6.addr == fd00::/8 or ipv6.addr == fe80::/10", &v6).len(), v6.len());
    assert!(chosen("ip.addr == 0.0.0.0/0", &v6).is_empty());
}

/// A field without a value passes no test, and `not` turns that round; of several values any does,
/// but of `!=` and `===` every one.
#[test]
fn absent_and_several_values() {
    let with_share = &[1, 3, 4, 8, 12, 13, 14, 16];
    check("fsrvp.ShareName", with_share);
    check("fsrvp.ShareName != nothing", with_share);
    check("fsrvp.ShareName !== nothing", with_share);
    check("fsrvp.ShareName == nothing", &[]);
    check("not fsrvp.ShareName == nothing", &all());
    check("fault != 0 or fault == 0 or fault < 5 or fault & 1 or all fault != 0", &[]);
    check("frames != 67", &[1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16]);
    check("frames !== 67", &all());
    check("frames === 67", &[]);
    check("all frames <= 39", &[1, 2]);
    check("any frames <= 39", &[1, 2]);
    check("all frames in {67, 69}", &[8]);
    check("any frames != 67 and n == 8", &[8]);
    check("tcp.port != 445", &[]);
}

#[test]
fn joining() {
    check("n == 1 or n == 2 and n == 3", &[1]);
    check("(n == 1 or n == 2) and n == 2", &[2]);
    check("n == 1 || n == 2 xor n == 2", &[1]);
    check("n == 1 xor n == 1 && n == 2", &[1]);
    check("n < 4 ^^ n < 3 ^^ n < 2", &[1, 3]);
    check("not n > 2 and n > 1", &[2]);
    check("!(n > 2 && n > 1)", &[1, 2]);
    check("!!n == 3", &[3]);
    check("fsrvp&&!n>2", &[1, 2]);
}

#[test]
fn words_of_the_carrier() {
    check("transport == ncacn_np && smb.dialect == 3.1.1 && smb2.dialect == 0x0311", &all());
    check("smb.signed and smb.signed == true and smb.encrypted == 0", &all());
    check("smb2.sesid == 0 or smb2.tid == 0", &[]);
    check("auth.type == ntlm && auth.level == integrity && auth.mechanism == ntlm", &all());
    check("dcerpc.auth_type == 10 and dcerpc.auth_level == 5", &all());
    check("syntax == ndr and grade == typed", &all());
    check("stub.request == clear and not stub.response == sealed", &all());
    check("stub_bytes.request >= 4 and opnum == 1", &[6]);
    check("dcerpc.pkt_type == 3", &[]);
    check("dcerpc.encrypted_stub_data", &[]);
    let sealed = calls("b-ntlm-seal-smb311.pcap");
    assert_eq!(
        chosen("dcerpc.encrypted_stub_data && stub.request == sealed", &sealed).len(),
        sealed.len()
    );
    assert!(chosen("request or fsrvp.ShareName", &sealed).is_empty());
    assert_eq!(chosen("fsrvp.opnum in {0..12}", &sealed).len(), sealed.len());
}

#[test]
fn columns() {
    let check = |name: &str, n: usize, expect: &str| {
        assert_eq!(column(name, &CALLS[n - 1], &REGISTRY), expect, "{name} of {n}");
    };
    check("n", 8, "8");
    check("frame.number", 8, "67,69");
    check("method", 8, "AddToShadowCopySet");
    check("status", 3, "0x8004230c");
    check("status.name", 3, "FSRVP_E_NOT_SUPPORTED");
    check("fault", 3, "");
    check("elapsed", 8, "0.013933000");
    check("elapsed_ms", 8, "13.933000");
    check("time", 8, "2026-11-22T17:49:18.681230000Z");
    check("frame.time_epoch", 8, "1795369758.681230000,1795369758.695163000");
    check("client.ip", 8, "10.77.0.11");
    check("ip.addr", 8, "10.77.0.11,10.77.0.1");
    check("fsrvp.ShareName", 8, "\\\\fss1\\fsrvp_share\\");
    check("fsrvp.ShareName", 9, "");
    check("fsrvp.Context", 6, "4194304");
    check("fsrvp.Context.flags", 6, "ATTR_AUTO_RECOVERY");
    check("fsrvp.tstamp", 12, "2026-11-22T17:49:18.0000000Z");
    check("smb.signed", 12, "true");
    check("fsrvp.SetContext", 6, "1");
    check("files", 6, "file");
}
