//! Calls of objects: the parameters of \[MS-SCMP\], references, and what activations say.

use std::sync::LazyLock;

use vshark::call::Call;

use super::{REGISTRY, calls, chosen, column};

static CALLS: LazyLock<Vec<Call>> = LazyLock::new(|| calls("scmp/mgmt-connect.pcap"));

#[track_caller]
fn check(text: &str, expect: &[u64]) {
    assert_eq!(chosen(text, &CALLS), expect, "{text}");
}

#[test]
fn protocols_interfaces_and_operations() {
    check("scmp", &(9..=33).collect::<Vec<_>>());
    check("dcom", &[1, 2, 3, 4, 5, 6, 7, 8, 34, 35, 36, 37, 38]);
    check("IVssSnapshotMgmt", &[9, 10]);
    check("scmp.Clone", &[17]);
    check("IVssEnumMgmtObject.Reset || dcom.SimplePing", &[5, 13, 15]);
    check("method == \"Next\"", &[11, 18, 20, 22, 24, 26, 30, 33]);
    check("grade == \"typed\"", &(9..=33).collect::<Vec<_>>());
    check("status == S_FALSE && outcome == \"ok\"", &[14, 18, 20, 22, 24, 26, 33]);
    check("status.name == \"E_NOINTERFACE\"", &[7]);
    check("object == 00008c05-0f54-1a2c-8005-3c5a77e10055 && opnum == 6", &[17]);
}

#[test]
fn parameters_and_elements() {
    check("scmp.celt == 10", &[18, 20, 22, 24]);
    check("scmp.Next.celt == 2", &[11]);
    check("request.celt > 8 && scmp.Skip", &[14]);
    check(r#"scmp.m_pwszVolumeName contains "1111""#, &[11, 20, 22, 24]);
    check(r#"scmp.DiffArea.m_pwszVolumeName contains "1111""#, &[20, 22]);
    check(r#"scmp.pwszVolumeName contains "44444444""#, &[25, 27, 28, 29, 31, 32]);
    check("scmp.llMaximumDiffSpace == -1", &[27]);
    check("scmp.m_llUsedDiffSpace >= 1610612736", &[20, 22]);
    check("scmp.rgelt.Type == VSS_MGMT_OBJECT_DIFF_AREA", &[20, 22, 30]);
    check("scmp.Type.name == \"VSS_MGMT_OBJECT_DIFF_VOLUME\"", &[24]);
    check("scmp.lContext.flags == \"VSS_VOLSNAP_ATTR_PERSISTENT\"", &[10]);
    check("scmp.InterfaceId == 214a0f28-b737-4026-b847-4f9e37d79529", &[9]);
}

#[test]
fn references_and_activations() {
    // `ppenum` of Clone is the same name.
    check("scmp.ppEnum", &[10, 17, 19, 21, 23, 25, 29, 32]);
    check("scmp.ppEnum.ipid == 00008c05-0f54-1a2c-8005-3c5a77e10055", &[10]);
    check("scmp.iid == 214a0f28-b737-4026-b847-4f9e37d79529", &[9]);
    check("dcom.ipid == 00008c05-0f54-1a2c-8005-3c5a77e10055", &[34]);
    check("dcom.oxid == 0x6d4f1c3a9e5b7702", &[2, 6]);
    check("dcom.InstantiationInfo.classId == 0b5a2c52-3eb9-470a-96e2-6c6d4570e40f", &[2]);
    check("dcom.ClientImpLevel == RPC_C_IMP_LEVEL_IDENTIFY", &[2]);
    check(r#"dcom.aNetworkAddr contains "[49667]""#, &[2, 3]);
    check("dcom.cPublicRefs == 5 && dcom.RemAddRef", &[8]);
    check("dcom.AddToSet == 0x91ab20c4d3e5f701", &[4]);
    check("dcom.hResult == E_NOINTERFACE", &[7]);
    let said = column("scmp.ppEnum.oxid", &CALLS[9], &REGISTRY);
    assert_eq!(said, "0x6d4f1c3a9e5b7702");
}
