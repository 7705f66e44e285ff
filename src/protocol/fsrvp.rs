//! \[MS-FSRVP\] File Server Remote VSS Protocol: its thirteen operations as plain Rust.
//!
//! Each message is a view of the decoded value, bound by name, so a field that the IDL renames or
//! adds makes binding fail, and a test, loudly. Wire enumerations are newtypes with named
//! constants; what a value means to the protocol is judged elsewhere.

use serde::{Deserialize, Serialize};

use crate::bytes::Guid;
use crate::ndr::{BindError, Decoded, Fields, guid};

/// UUID of the interface `FileServerVssAgent` (1.9).
pub const UUID: Guid = Guid::from_u128(0xa8e0_653c_2744_4389_a61d_7373_df8b_2292);
/// Its version (1.9).
pub const VERSION: (u16, u16) = (1, 0);
/// The pipe it is reached by (1.9).
pub const PIPE: &str = "FssagentRpc";

/// 2.2.2.2 `CONTEXT_VALUES`, a sum of the bits of 2.2.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct ContextValue(pub u32);

#[expect(missing_docs, reason = "the names are the specification's")]
impl ContextValue {
    pub const ATTR_PERSISTENT: Self = Self(0x0000_0001);
    pub const ATTR_NO_AUTO_RECOVERY: Self = Self(0x0000_0002);
    pub const ATTR_NO_AUTO_RELEASE: Self = Self(0x0000_0008);
    pub const ATTR_NO_WRITERS: Self = Self(0x0000_0010);
    pub const ATTR_AUTO_RECOVERY: Self = Self(0x0040_0000);
    pub const CTX_BACKUP: Self = Self(0x0000_0000);
    pub const CTX_FILE_SHARE_BACKUP: Self = Self(0x0000_0010);
    pub const CTX_APP_ROLLBACK: Self = Self(0x0000_0009);
    pub const CTX_NAS_ROLLBACK: Self = Self(0x0000_0019);
}

impl ContextValue {
    /// Whether all bits of `other` are set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether it is one of the twelve that 2.2.2.2 allows: one of the four contexts, with at most
    /// one of the two recovery attributes.
    pub fn is_legal(self) -> bool {
        let recovery = Self::ATTR_NO_AUTO_RECOVERY.0 | Self::ATTR_AUTO_RECOVERY.0;
        let base = Self(self.0 & !recovery);
        self.0 & recovery != recovery
            && [
                Self::CTX_BACKUP,
                Self::CTX_FILE_SHARE_BACKUP,
                Self::CTX_APP_ROLLBACK,
                Self::CTX_NAS_ROLLBACK,
            ]
            .contains(&base)
    }
}

/// 2.2.2.3 `SHADOW_COPY_COMPATIBILITY_VALUES`, declared `long`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Compatibility(pub i32);

#[expect(missing_docs, reason = "the names are the specification's")]
impl Compatibility {
    pub const DISABLE_DEFRAG: Self = Self(0x1);
    pub const DISABLE_CONTENTINDEX: Self = Self(0x2);
}

/// 2.2.2.4 `FSRVP_VERSION_VALUES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Version(pub u32);

#[expect(missing_docs, reason = "the names are the specification's")]
impl Version {
    pub const FSRVP_RPC_VERSION_1: Self = Self(1);
}

/// \[MS-DTYP\] 2.2.3 `BOOL`: any value but zero is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Bool(pub i32);

impl Bool {
    /// Whether it is true.
    pub fn is_true(self) -> bool {
        self.0 != 0
    }
}

/// Intervals of 100 ns since 1601-01-01T00:00:00Z (2.2.1.1 `CreationTimestamp`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct FileTime(pub i64);

/// What an operation returns (2.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Status(pub u32);

#[expect(missing_docs, reason = "the names are the specification's")]
impl Status {
    pub const ZERO: Self = Self(0);
    pub const E_ACCESSDENIED: Self = Self(0x8007_0005);
    pub const E_INVALIDARG: Self = Self(0x8007_0057);
    pub const FSRVP_E_BAD_STATE: Self = Self(0x8004_2301);
    pub const FSRVP_E_OBJECT_NOT_FOUND: Self = Self(0x8004_2308);
    pub const FSRVP_E_NOT_SUPPORTED: Self = Self(0x8004_230c);
    pub const FSRVP_E_OBJECT_ALREADY_EXISTS: Self = Self(0x8004_230d);
    pub const FSRVP_E_SHADOW_COPY_SET_IN_PROGRESS: Self = Self(0x8004_2316);
    pub const FSRVP_E_UNSUPPORTED_CONTEXT: Self = Self(0x8004_231b);
    pub const FSSAGENT_E_TIMEOUT: Self = Self(0x8004_2500);
    pub const FSRVP_E_SHADOWCOPYSET_ID_MISMATCH: Self = Self(0x8004_2501);
    pub const FSRVP_E_WAIT_TIMEOUT: Self = Self(0x0000_0102);
    pub const FSRVP_E_WAIT_FAILED: Self = Self(0xffff_ffff);

    /// Success, the codes of 2.2.4, the one that only 3.1.4.5 names, and those for all arguments and
    /// callers.
    pub const LISTED: [Self; 13] = [
        Self::ZERO,
        Self::E_ACCESSDENIED,
        Self::E_INVALIDARG,
        Self::FSRVP_E_BAD_STATE,
        Self::FSRVP_E_OBJECT_NOT_FOUND,
        Self::FSRVP_E_NOT_SUPPORTED,
        Self::FSRVP_E_OBJECT_ALREADY_EXISTS,
        Self::FSRVP_E_SHADOW_COPY_SET_IN_PROGRESS,
        Self::FSRVP_E_UNSUPPORTED_CONTEXT,
        Self::FSSAGENT_E_TIMEOUT,
        Self::FSRVP_E_SHADOWCOPYSET_ID_MISMATCH,
        Self::FSRVP_E_WAIT_TIMEOUT,
        Self::FSRVP_E_WAIT_FAILED,
    ];

    /// Whether it is one of [`LISTED`](Self::LISTED): others come from below the server's own code.
    pub fn is_listed(self) -> bool {
        Self::LISTED.contains(&self)
    }
}

/// 2.2.1.1 `FSSAGENT_SHARE_MAPPING_1`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ShareMapping1 {
    /// The shadow copy set.
    #[serde(with = "guid")]
    pub shadow_copy_set_id: Guid,
    /// The shadow copy.
    #[serde(with = "guid")]
    pub shadow_copy_id: Guid,
    /// The share, as a UNC path.
    #[serde(rename = "ShareNameUNC")]
    pub share_name_unc: Option<String>,
    /// The share that exposes the shadow copy.
    pub shadow_copy_share_name: Option<String>,
    /// When the shadow copy was made.
    pub creation_timestamp: FileTime,
}

/// 2.2.3.1 `FSSAGENT_SHARE_MAPPING`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum ShareMapping {
    /// Level 1; null when the call failed.
    ShareMapping1(Option<ShareMapping1>),
    /// Any other level: nothing.
    #[serde(rename = "default")]
    Default,
}

/// Declares the operations: number, name, fields of the request, fields of the response.
///
/// The fields are the IDL's in `snake_case`; a response ends with what the operation returned.
macro_rules! operations {
    ($(
        $(#[$doc:meta])*
        $opnum:literal $request:ident { $($(#[$in:meta])* $in_name:ident: $in_ty:ty),* }
            -> $response:ident { $($(#[$out:meta])* $out_name:ident: $out_ty:ty),* }
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
            #[serde(rename_all = "PascalCase", deny_unknown_fields)]
            pub struct $request {
                $(
                    #[doc = concat!("The parameter `", stringify!($in_name), "`.")]
                    $(#[$in])*
                    pub $in_name: $in_ty,
                )*
            }

            #[doc = concat!("The answer to [`", stringify!($request), "`].")]
            #[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
            #[serde(rename_all = "PascalCase", deny_unknown_fields)]
            pub struct $response {
                $(
                    #[doc = concat!("The parameter `", stringify!($out_name), "`.")]
                    $(#[$out])*
                    pub $out_name: $out_ty,
                )*
                /// What the operation returned.
                #[serde(rename = "return")]
                pub status: Status,
            }
        )*

        /// A request.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        pub enum Request {
            $(
                #[doc = concat!("Operation ", stringify!($opnum), ".")]
                $request($request),
            )*
        }

        /// A response.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        pub enum Response {
            $(
                #[doc = concat!("Operation ", stringify!($opnum), ".")]
                $request($response),
            )*
        }

        /// The operations: opnum and name.
        pub const OPERATIONS: &[(u16, &str)] = &[$(($opnum, stringify!($request)),)*];

        impl Request {
            /// The request of operation `opnum`; none when there is no such operation.
            ///
            /// What was not read to its end does not bind.
            pub fn bind(opnum: u16, decoded: &Decoded) -> Option<Result<Self, BindError>> {
                let fields = Fields::new(&decoded.params, None);
                Some(match opnum {
                    $($opnum => whole(decoded, fields)
                        .and_then($request::deserialize)
                        .map(Self::$request),)*
                    _ => return None,
                })
            }

            /// The operation.
            pub fn opnum(&self) -> u16 {
                match self { $(Self::$request(_) => $opnum,)* }
            }
        }

        impl Response {
            /// The response of operation `opnum`; none when there is no such operation.
            ///
            /// What was not read to its end does not bind.
            pub fn bind(opnum: u16, decoded: &Decoded) -> Option<Result<Self, BindError>> {
                let status = decoded.ret.as_ref().map(|value| ("return", value));
                let fields = Fields::new(&decoded.params, status);
                Some(match opnum {
                    $($opnum => whole(decoded, fields)
                        .and_then($response::deserialize)
                        .map(Self::$request),)*
                    _ => return None,
                })
            }

            /// The operation.
            pub fn opnum(&self) -> u16 {
                match self { $(Self::$request(_) => $opnum,)* }
            }

            /// What the operation returned.
            pub fn status(&self) -> Status {
                match self { $(Self::$request(response) => response.status,)* }
            }
        }
    };
}

/// Only a message read to its end is one.
fn whole<'a>(decoded: &Decoded, fields: Fields<'a>) -> Result<Fields<'a>, BindError> {
    match &decoded.stop {
        Some(stop) => Err(stop.into()),
        None => Ok(fields),
    }
}

operations! {
    /// 3.1.4.1, opnum 0.
    0 GetSupportedVersion {} -> GetSupportedVersionResponse {
        min_version: Version,
        max_version: Version
    }
    /// 3.1.4.2, opnum 1.
    1 SetContext { context: ContextValue } -> SetContextResponse {}
    /// 3.1.4.3, opnum 2.
    2 StartShadowCopySet {
        #[serde(with = "guid")]
        client_shadow_copy_set_id: Guid
    } -> StartShadowCopySetResponse {
        #[serde(rename = "pShadowCopySetId", with = "guid")]
        shadow_copy_set_id: Guid
    }
    /// 3.1.4.4, opnum 3.
    3 AddToShadowCopySet {
        #[serde(with = "guid")]
        client_shadow_copy_id: Guid,
        #[serde(with = "guid")]
        shadow_copy_set_id: Guid,
        share_name: String
    } -> AddToShadowCopySetResponse {
        #[serde(rename = "pShadowCopyId", with = "guid")]
        shadow_copy_id: Guid
    }
    /// 3.1.4.5, opnum 4.
    4 CommitShadowCopySet {
        #[serde(with = "guid")]
        shadow_copy_set_id: Guid,
        time_out_in_milliseconds: u32
    } -> CommitShadowCopySetResponse {}
    /// 3.1.4.6, opnum 5.
    5 ExposeShadowCopySet {
        #[serde(with = "guid")]
        shadow_copy_set_id: Guid,
        time_out_in_milliseconds: u32
    } -> ExposeShadowCopySetResponse {}
    /// 3.1.4.7, opnum 6.
    6 RecoveryCompleteShadowCopySet {
        #[serde(with = "guid")]
        shadow_copy_set_id: Guid
    } -> RecoveryCompleteShadowCopySetResponse {}
    /// 3.1.4.8, opnum 7.
    7 AbortShadowCopySet {
        #[serde(with = "guid")]
        shadow_copy_set_id: Guid
    } -> AbortShadowCopySetResponse {}
    /// 3.1.4.9, opnum 8.
    8 IsPathSupported { share_name: String } -> IsPathSupportedResponse {
        supported_by_this_provider: Bool,
        owner_machine_name: Option<String>
    }
    /// 3.1.4.10, opnum 9.
    9 IsPathShadowCopied { share_name: String } -> IsPathShadowCopiedResponse {
        shadow_copy_present: Bool,
        shadow_copy_compatibility: Compatibility
    }
    /// 3.1.4.11, opnum 10. The shadow copy's identifier comes first here, second in opnum 11.
    10 GetShareMapping {
        #[serde(with = "guid")]
        shadow_copy_id: Guid,
        #[serde(with = "guid")]
        shadow_copy_set_id: Guid,
        share_name: String,
        level: u32
    } -> GetShareMappingResponse { share_mapping: ShareMapping }
    /// 3.1.4.12, opnum 11.
    11 DeleteShareMapping {
        #[serde(with = "guid")]
        shadow_copy_set_id: Guid,
        #[serde(with = "guid")]
        shadow_copy_id: Guid,
        share_name: String
    } -> DeleteShareMappingResponse {}
    /// 3.1.4.13, opnum 12.
    12 PrepareShadowCopySet {
        #[serde(with = "guid")]
        shadow_copy_set_id: Guid,
        time_out_in_milliseconds: u32
    } -> PrepareShadowCopySetResponse {}
}
