//! \[MS-SCMP\] Shadow Copy Management Protocol: the operations of its four interfaces as plain Rust.
//!
//! Each message is a view of the decoded value, bound by name, so a member that the IDL renames or
//! adds makes binding fail, and a test, loudly. What was not read, because a stub was cut, is none
//! and takes nothing from the rest; a null pointer is there and says so (`Some(None)`). What a value
//! means to the protocol is judged elsewhere.

mod types;

use serde::{Deserialize, Serialize};
pub use types::{
    Attributes, DiffAreaProp, DiffVolumeProp, MgmtObject, MgmtObjectProp, MgmtObjectType,
    MgmtObjectUnion, Object, ObjectProp, ObjectType, ObjectUnion, ProviderProp, ProviderType, Pwsz,
    SnapshotProp, SnapshotState, Status, Timestamp, VolumeProp, VssId,
};

use super::dcom::{Iid, ObjRef};
use crate::bytes::Guid;
use crate::ndr::{BindError, Decoded, Fields, read};

/// IID of `IVssSnapshotMgmt` (1.9).
pub const SNAPSHOT_MGMT: Guid = Guid::from_u128(0xfa7d_f749_66e7_4986_a27f_e2f0_4ae5_3772);
/// IID of `IVssDifferentialSoftwareSnapshotMgmt` (1.9).
pub const DIFF_MGMT: Guid = Guid::from_u128(0x214a_0f28_b737_4026_b847_4f9e_37d7_9529);
/// IID of `IVssEnumObject` (1.9).
pub const ENUM_OBJECT: Guid = Guid::from_u128(0xae1c_7110_2f60_11d3_8a39_00c0_4f72_d8e3);
/// IID of `IVssEnumMgmtObject` (1.9).
pub const ENUM_MGMT_OBJECT: Guid = Guid::from_u128(0x0195_4e6b_9254_4e6e_808c_c9e0_5d00_7696);
/// The four interfaces.
pub const INTERFACES: [Guid; 4] = [SNAPSHOT_MGMT, DIFF_MGMT, ENUM_OBJECT, ENUM_MGMT_OBJECT];
/// The version by which they are bound (2.1: RPC version 0.0).
pub const VERSION: (u16, u16) = (0, 0);

/// The shadow copy provider that is managed (1.9).
pub const PROVIDER: Guid = Guid::from_u128(0xb594_6137_7b9f_4925_af80_51ab_d60b_20d5);
/// `VssSnapshotMgmt`, the class that is activated: vsmgmt.h of the Windows SDK; the document names
/// none.
pub const CLASS: Guid = Guid::from_u128(0x0b5a_2c52_3eb9_470a_96e2_6c6d_4570_e40f);

/// Names of what is no interface.
pub const NAMES: [(Guid, &str); 2] =
    [(PROVIDER, "Microsoft Software Shadow Copy provider"), (CLASS, "VssSnapshotMgmt")];

/// Declares the operations of the interfaces: number, name, parameters in, parameters out.
///
/// A message is named as its operation; those of the enumerators, of which both have the same, with
/// the name of the interface before it.
macro_rules! operations {
    ($($interface:ident {$(
        $(#[$doc:meta])*
        $opnum:literal $idl_name:literal $request:ident {
            $($in_name:ident = $in_idl:literal: $in_ty:ty),*
        } -> $response:ident {
            $($out_name:ident = $out_idl:literal: $out_ty:ty),*
        }
    )*})*) => {
        $($(
            $(#[$doc])*
            #[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
            #[serde(default, deny_unknown_fields)]
            pub struct $request {
                $(
                    #[doc = concat!("`", $in_idl, "`; none where it was not read.")]
                    #[serde(rename = $in_idl, with = "read")]
                    pub $in_name: Option<$in_ty>,
                )*
            }

            #[doc = concat!("The answer to [`", stringify!($request), "`].")]
            #[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
            #[serde(default, deny_unknown_fields)]
            pub struct $response {
                $(
                    #[doc = concat!("`", $out_idl, "`; none where it was not read.")]
                    #[serde(rename = $out_idl, with = "read")]
                    pub $out_name: Option<$out_ty>,
                )*
                /// What the operation returned; none where it was not read.
                #[serde(rename = "return", with = "read")]
                pub status: Option<Status>,
            }
        )*)*

        /// A request.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        pub enum Request {
            $($(
                $(#[$doc])*
                $request($request),
            )*)*
        }

        /// A response.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        pub enum Response {
            $($(
                $(#[$doc])*
                $request($response),
            )*)*
        }

        /// The operations: interface, opnum and name.
        pub const OPERATIONS: &[(Guid, u16, &str)] = &[$($(($interface, $opnum, $idl_name),)*)*];

        impl Request {
            /// The request of an operation of an interface; none when it is none of these.
            pub fn of(
                interface: Guid,
                opnum: u16,
                decoded: &Decoded,
            ) -> Option<Result<Self, BindError>> {
                let fields = Fields::new(&decoded.params, None);
                Some(match (interface, opnum) {
                    $($(($interface, $opnum) => $request::deserialize(fields).map(Self::$request),)*)*
                    _ => return None,
                })
            }

            /// The operation: interface and opnum.
            pub fn operation(&self) -> (Guid, u16) {
                match self { $($(Self::$request(_) => ($interface, $opnum),)*)* }
            }
        }

        impl Response {
            /// The response of an operation of an interface; none when it is none of these.
            pub fn of(
                interface: Guid,
                opnum: u16,
                decoded: &Decoded,
            ) -> Option<Result<Self, BindError>> {
                let status = decoded.ret.as_ref().map(|value| ("return", value));
                let fields = Fields::new(&decoded.params, status);
                Some(match (interface, opnum) {
                    $($(($interface, $opnum) => $response::deserialize(fields).map(Self::$request),)*)*
                    _ => return None,
                })
            }

            /// The operation: interface and opnum.
            pub fn operation(&self) -> (Guid, u16) {
                match self { $($(Self::$request(_) => ($interface, $opnum),)*)* }
            }

            /// What the operation returned.
            pub fn status(&self) -> Option<Status> {
                match self { $($(Self::$request(response) => response.status,)*)* }
            }
        }
    };
}

/// An interface pointer, or a null pointer.
type Pointer = Option<ObjRef>;

operations! {
    SNAPSHOT_MGMT {
        /// 3.1.1.4.1, opnum 3 of `IVssSnapshotMgmt`.
        3 "GetProviderMgmtInterface" GetProviderMgmtInterface {
            provider_id = "ProviderId": VssId,
            interface_id = "InterfaceId": Iid
        } -> GetProviderMgmtInterfaceResponse { itf = "ppItf": Pointer }
        /// 3.1.1.4.2, opnum 4 of `IVssSnapshotMgmt`.
        4 "QueryVolumesSupportedForSnapshots" QueryVolumesSupportedForSnapshots {
            provider_id = "ProviderId": VssId,
            context = "lContext": Attributes
        } -> QueryVolumesSupportedForSnapshotsResponse { enumerator = "ppEnum": Pointer }
        /// 3.1.1.4.3, opnum 5 of `IVssSnapshotMgmt`.
        5 "QuerySnapshotsByVolume" QuerySnapshotsByVolume {
            volume_name = "pwszVolumeName": Pwsz,
            provider_id = "ProviderId": VssId
        } -> QuerySnapshotsByVolumeResponse { enumerator = "ppEnum": Pointer }
    }
    DIFF_MGMT {
        /// 3.1.4.4.2, opnum 3 of `IVssDifferentialSoftwareSnapshotMgmt`.
        3 "AddDiffArea" AddDiffArea {
            volume_name = "pwszVolumeName": Pwsz,
            diff_area_volume_name = "pwszDiffAreaVolumeName": Pwsz,
            maximum_diff_space = "llMaximumDiffSpace": i64
        } -> AddDiffAreaResponse {}
        /// 3.1.4.4.3, opnum 4 of `IVssDifferentialSoftwareSnapshotMgmt`.
        4 "ChangeDiffAreaMaximumSize" ChangeDiffAreaMaximumSize {
            volume_name = "pwszVolumeName": Pwsz,
            diff_area_volume_name = "pwszDiffAreaVolumeName": Pwsz,
            maximum_diff_space = "llMaximumDiffSpace": i64
        } -> ChangeDiffAreaMaximumSizeResponse {}
        /// 3.1.4.4.4, opnum 5 of `IVssDifferentialSoftwareSnapshotMgmt`.
        5 "QueryVolumesSupportedForDiffAreas" QueryVolumesSupportedForDiffAreas {
            original_volume_name = "pwszOriginalVolumeName": Pwsz
        } -> QueryVolumesSupportedForDiffAreasResponse { enumerator = "ppEnum": Pointer }
        /// 3.1.4.4.5, opnum 6 of `IVssDifferentialSoftwareSnapshotMgmt`.
        6 "QueryDiffAreasForVolume" QueryDiffAreasForVolume {
            volume_name = "pwszVolumeName": Pwsz
        } -> QueryDiffAreasForVolumeResponse { enumerator = "ppEnum": Pointer }
        /// 3.1.4.4.6, opnum 7 of `IVssDifferentialSoftwareSnapshotMgmt`.
        7 "QueryDiffAreasOnVolume" QueryDiffAreasOnVolume {
            volume_name = "pwszVolumeName": Pwsz
        } -> QueryDiffAreasOnVolumeResponse { enumerator = "ppEnum": Pointer }
        /// Opnum 8 of `IVssDifferentialSoftwareSnapshotMgmt`, which nobody is to send.
        8 "Opnum08NotUsedOnWire" Opnum08NotUsedOnWire {} -> Opnum08NotUsedOnWireResponse {}
    }
    ENUM_OBJECT {
        /// 3.1.2.1, opnum 3 of `IVssEnumObject`.
        3 "Next" EnumObjectNext { celt = "celt": u32 } -> EnumObjectNextResponse {
            rgelt = "rgelt": Vec<ObjectProp>,
            celt_fetched = "pceltFetched": u32
        }
        /// 3.1.2.2, opnum 4 of `IVssEnumObject`.
        4 "Skip" EnumObjectSkip { celt = "celt": u32 } -> EnumObjectSkipResponse {}
        /// 3.1.2.3, opnum 5 of `IVssEnumObject`.
        5 "Reset" EnumObjectReset {} -> EnumObjectResetResponse {}
        /// 3.1.2.4, opnum 6 of `IVssEnumObject`.
        6 "Clone" EnumObjectClone { enumerator = "ppenum": Pointer } -> EnumObjectCloneResponse {
            enumerator = "ppenum": Pointer
        }
    }
    ENUM_MGMT_OBJECT {
        /// 3.1.3.1, opnum 3 of `IVssEnumMgmtObject`.
        3 "Next" EnumMgmtObjectNext { celt = "celt": u32 } -> EnumMgmtObjectNextResponse {
            rgelt = "rgelt": Vec<MgmtObjectProp>,
            celt_fetched = "pceltFetched": u32
        }
        /// 3.1.3.2, opnum 4 of `IVssEnumMgmtObject`.
        4 "Skip" EnumMgmtObjectSkip { celt = "celt": u32 } -> EnumMgmtObjectSkipResponse {}
        /// 3.1.3.3, opnum 5 of `IVssEnumMgmtObject`.
        5 "Reset" EnumMgmtObjectReset {} -> EnumMgmtObjectResetResponse {}
        /// 3.1.3.4, opnum 6 of `IVssEnumMgmtObject`.
        6 "Clone" EnumMgmtObjectClone {
            enumerator = "ppenum": Pointer
        } -> EnumMgmtObjectCloneResponse { enumerator = "ppenum": Pointer }
    }
}

impl Request {
    /// `celt` of `Next` and `Skip`.
    pub fn celt(&self) -> Option<u32> {
        match self {
            Self::EnumObjectNext(ask) => ask.celt,
            Self::EnumObjectSkip(ask) => ask.celt,
            Self::EnumMgmtObjectNext(ask) => ask.celt,
            Self::EnumMgmtObjectSkip(ask) => ask.celt,
            _ => None,
        }
    }

    /// The provider that is asked.
    pub fn provider(&self) -> Option<VssId> {
        match self {
            Self::GetProviderMgmtInterface(ask) => ask.provider_id,
            Self::QueryVolumesSupportedForSnapshots(ask) => ask.provider_id,
            Self::QuerySnapshotsByVolume(ask) => ask.provider_id,
            _ => None,
        }
    }
}

impl Response {
    /// The interface pointer that the operation gives, or that it is null; none where there is none
    /// to give or it was not read.
    pub fn pointer(&self) -> Option<&Pointer> {
        match self {
            Self::GetProviderMgmtInterface(answer) => answer.itf.as_ref(),
            Self::QueryVolumesSupportedForSnapshots(answer) => answer.enumerator.as_ref(),
            Self::QuerySnapshotsByVolume(answer) => answer.enumerator.as_ref(),
            Self::QueryVolumesSupportedForDiffAreas(answer) => answer.enumerator.as_ref(),
            Self::QueryDiffAreasForVolume(answer) => answer.enumerator.as_ref(),
            Self::QueryDiffAreasOnVolume(answer) => answer.enumerator.as_ref(),
            Self::EnumObjectClone(answer) => answer.enumerator.as_ref(),
            Self::EnumMgmtObjectClone(answer) => answer.enumerator.as_ref(),
            _ => None,
        }
    }
}
