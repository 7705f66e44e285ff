//! \[MS-DCOM\]: its interfaces and classes by their numbers (1.9), and what its calls say as plain
//! Rust.
//!
//! [`Request`] and [`Response`] are views of decoded values; so are [`OrpcThis`] and [`OrpcThat`],
//! which come before the parameters of an object call, and [`ObjRef`], a reference to an object. They
//! say what was read: what is missing, because a stub was cut or a pointer is null, takes nothing
//! from the rest. The values are those that [`dcom`](crate::dcom) has opened.

mod activation;
mod message;
mod objref;
mod orpc;
mod view;

pub use activation::{Activated, Activation, ActivationResult, ImpersonationLevel};
pub use message::{ByIpid, QueryInterface, References, Request, Resolved, Response};
pub use objref::{
    Bindings, Clsid, ComVersion, HResult, Iid, Ipid, Kind, ObjRef, Oid, Oxid, SecurityBinding,
    SetId, Sorf, StringBinding,
};
pub use orpc::{ErrorText, OrpcThat, OrpcThis};

use crate::bytes::Guid;

/// The GUID `xxxxxxxx-0000-0000-C000-000000000046`.
const fn com(first: u32) -> Guid {
    // The cast widens.
    #[expect(clippy::as_conversions, reason = "`From` is not const")]
    let first = first as u128;
    Guid::from_u128((first << 96) | 0xc000_0000_0000_0046)
}

/// `IUnknown`
pub const IUNKNOWN: Guid = com(0x0000_0000);
/// `IClassFactory`
pub const ICLASSFACTORY: Guid = com(0x0000_0001);
/// `IRemUnknown`
pub const IREMUNKNOWN: Guid = com(0x0000_0131);
/// `IRemUnknown2`
pub const IREMUNKNOWN2: Guid = com(0x0000_0143);
/// `IRemoteSCMActivator`, also called `ISystemActivator`
pub const IREMOTESCMACTIVATOR: Guid = com(0x0000_01a0);
/// `IActivation`, also called `IRemoteActivation`
pub const IACTIVATION: Guid = Guid::from_u128(0x4d9f_4ab8_7d1c_11cf_861e_0020_af6e_7c57);
/// `IObjectExporter`, also called `IOXIDResolver`
pub const IOBJECTEXPORTER: Guid = Guid::from_u128(0x99fc_fec4_5260_101b_bbcb_00aa_0021_347a);

/// `IActivationPropertiesIn`, as which activation properties of a request are marshaled
pub const IACTIVATIONPROPERTIESIN: Guid = com(0x0000_01a2);
/// `IActivationPropertiesOut`, as which those of a response are
pub const IACTIVATIONPROPERTIESOUT: Guid = com(0x0000_01a3);

/// Class of what is marshaled as activation properties of a request.
pub const CLSID_ACTIVATION_PROPERTIES_IN: Guid = com(0x0000_0338);
/// Class of what is marshaled as activation properties of a response.
pub const CLSID_ACTIVATION_PROPERTIES_OUT: Guid = com(0x0000_0339);
/// Class of what is marshaled as the text of an error.
pub const CLSID_ERROR_OBJECT: Guid = com(0x0000_031b);
/// The extension of `ORPCTHAT` that has it.
pub const CLSID_ERROR_EXTENSION: Guid = com(0x0000_031c);

/// Classes of the activation properties, with the name of each and of its type (2.2.22.2).
pub const PROPERTIES: [(Guid, &str, &str); 9] = [
    (com(0x0000_01ab), "InstantiationInfo", "InstantiationInfoData"),
    (com(0x0000_01a5), "ActivationContextInfo", "ActivationContextInfoData"),
    (com(0x0000_01a4), "ServerLocationInfo", "LocationInfoData"),
    (com(0x0000_01a6), "SecurityInfo", "SecurityInfoData"),
    (com(0x0000_01aa), "ScmRequestInfo", "ScmRequestInfoData"),
    (com(0x0000_01ad), "InstanceInfo", "InstanceInfoData"),
    (com(0x0000_01b9), "SpecialSystemProperties", "SpecialPropertiesData"),
    (com(0x0000_0339), "PropsOutInfo", "PropsOutInfo"),
    (com(0x0000_01b6), "ScmReplyInfo", "ScmReplyInfoData"),
];

/// 2.2.19.3: protocol identifiers of \[C706\] appendix I, by their protocol sequences.
pub const PROTSEQS: [(i64, &str); 7] = [
    (0x07, "ncacn_ip_tcp"),
    (0x08, "ncadg_ip_udp"),
    (0x0c, "ncacn_spx"),
    (0x0f, "ncacn_np"),
    (0x10, "ncalrpc"),
    (0x12, "ncacn_nb_nb"),
    (0x1f, "ncacn_http"),
];

/// Names of interfaces that have no calls of their own, and of classes.
pub const NAMES: [(Guid, &str); 8] = [
    (IUNKNOWN, "IUnknown"),
    (ICLASSFACTORY, "IClassFactory"),
    (IACTIVATIONPROPERTIESIN, "IActivationPropertiesIn"),
    (IACTIVATIONPROPERTIESOUT, "IActivationPropertiesOut"),
    (CLSID_ACTIVATION_PROPERTIES_IN, "ActivationPropertiesIn"),
    (CLSID_ACTIVATION_PROPERTIES_OUT, "ActivationPropertiesOut"),
    (CLSID_ERROR_OBJECT, "ErrorObject"),
    (CLSID_ERROR_EXTENSION, "ErrorExtension"),
];
