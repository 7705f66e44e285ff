//! Arguments, and what is answered to them.

use super::Fault;
use crate::world::Kind;

pub(super) fn add(all: &mut Vec<Fault>) {
    let other = "00000000-0000-0000-0000-000000000001";
    let mgmt = |call: &str| (Kind::Mgmt, call.replace("OTHER", other));
    let diff = |call: &str| (Kind::Diff, call.to_owned());
    for ((kind, call), of) in [
        (mgmt("GPMI(nil,Diff)=VSS_E_PROVIDER_NOT_REGISTERED->null"), "3.1.1.4.1-01"),
        (mgmt("GPMI(OTHER,Diff)=VSS_E_PROVIDER_NOT_REGISTERED->null"), "3.1.1.4.1-01"),
        (mgmt("GPMI(P,IUnknown)=E_INVALIDARG->null"), "3.1.1.4.1-02"),
        (mgmt("GPMI(P,Diff)=VSS_E_PROVIDER_NOT_REGISTERED->null"), "3.1.1.4.1-04"),
        (mgmt("GPMI(P,EnumO)=0->x"), "3.1.1.4.1-05"),
        (mgmt("GPMI(P,Diff)=0->null"), "3.1.1.4.1-08"),
        (mgmt("GPMI(P,Diff)=0->x{iid=EnumO}"), "3.1.1.4.1-08"),
        (mgmt("GPMI(P,Diff)=E_ACCESSDENIED->x"), "3.1.1.4.1-10"),
        (mgmt("GPMI(P,Diff)=0x00000005->null"), "3.1.1.4-05"),
        (mgmt("QVSS(OTHER,0x1D)=VSS_E_PROVIDER_NOT_REGISTERED->null"), "3.1.1.4.2-01"),
        (mgmt("QVSS(P,0x2)=E_INVALIDARG->null"), "3.1.1.4.2-02"),
        (mgmt("QVSS(P,0x11D)=0->x"), "3.1.1.4.2-02"),
        (mgmt("QVSS(nil,0x1D)=0->x"), "3.1.1.4.2-04"),
        (mgmt("QVSS(P,0x1D)=VSS_E_PROVIDER_NOT_REGISTERED->null"), "3.1.1.4.2-05"),
        (mgmt(r"QSBV('\\srv\share',P)=VSS_E_VOLUME_NOT_SUPPORTED->null"), "3.1.1.4.3-01"),
        (mgmt("QSBV(VA,OTHER)=VSS_E_PROVIDER_NOT_REGISTERED->null"), "3.1.1.4.3-02"),
        (mgmt("QSBV(null,P)=0->x"), "3.1.1.4.3-03"),
        (mgmt("QSBV(VA,nil)=0->x"), "3.1.1.4.3-04"),
        (mgmt("QSBV(VA,P)=VSS_E_PROVIDER_NOT_REGISTERED->null"), "3.1.1.4.3-05"),
        (diff("ADD('HarddiskVolume3',VB,10GB)=VSS_E_VOLUME_NOT_SUPPORTED"), "3.1.4.4.2-01"),
        (diff("ADD(VA,'D',10GB)=VSS_E_VOLUME_NOT_SUPPORTED"), "3.1.4.4.2-02"),
        (diff(r"ADD(VA,'\\.\x',10GB)=VSS_E_VOLUME_NOT_SUPPORTED"), "3.1.4.4.2-02"),
        (diff("ADD(VY,VZ,0)=0"), "3.1.4.4.2-03"),
        (diff("ADD(VY,null,10GB)=0"), "3.1.4.4.2-03"),
        (diff("ADD(VY,VZ,-4096)=0"), "3.1.4.4.2-04"),
        (diff("ADD(VY,VZ,10GB)=0x00000005"), "3.1.1.4-05"),
        (diff("CHG('',VB,10GB)=VSS_E_OBJECT_NOT_FOUND"), "3.1.4.4.3-01"),
        (diff("CHG(null,VB,10GB)=0"), "3.1.4.4.3-02"),
        (diff("CHG(VY,VZ,100MB)=VSS_E_VOLUME_IN_USE"), "3.1.4.4.3-05"),
        (diff("QVSD('vol1')=VSS_E_VOLUME_NOT_SUPPORTED->null"), "3.1.4.4.4-01"),
        (diff("QVSD(null)=0->x"), "3.1.4.4.4-03"),
        (diff("QDAF('vol1')=VSS_E_VOLUME_NOT_SUPPORTED->null"), "3.1.4.4.5-01"),
        (diff("QDAF(null)=0->x"), "3.1.4.4.5-03"),
        (diff("QDAO('vol1')=VSS_E_VOLUME_NOT_SUPPORTED->null"), "3.1.4.4.6-01"),
        (diff("QDAO(null)=0->x"), "3.1.4.4.6-03"),
        (diff(r"QDAF({text='C:\x', terminator=no})=fault 0x000006f7"), "2.2.1.2-01"),
        (diff(r"QDAF({text='C:\', offset=1})=0->x"), "3.1.1.4-09"),
    ] {
        all.push(Fault::of(call.clone(), &[of], move |scene, who| {
            let object = scene.have(who, kind);
            let call = call.replace("->x", &format!("->{}", scene.stray()));
            scene.on(who, object, &call);
            Some(())
        }));
    }
}
