//! Enumerations, flags and structures of \[MS-SCMP\] 2.2.

use serde::{Deserialize, Serialize};

use crate::bytes::Guid;
use crate::ndr::{bits, guid, read};

/// 2.2.1.1 `VSS_ID`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct VssId(#[serde(with = "guid")] pub Guid);

/// 2.2.1.3 `VSS_TIMESTAMP`: intervals of 100 ns since 1601-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// 2.2.2.1 `VSS_OBJECT_TYPE`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct ObjectType(#[serde(with = "bits")] pub u32);

#[expect(missing_docs, reason = "the names are the specification's")]
impl ObjectType {
    pub const VSS_OBJECT_UNKNOWN: Self = Self(0);
    pub const VSS_OBJECT_NONE: Self = Self(1);
    pub const VSS_OBJECT_SNAPSHOT_SET: Self = Self(2);
    pub const VSS_OBJECT_SNAPSHOT: Self = Self(3);
    pub const VSS_OBJECT_PROVIDER: Self = Self(4);
    pub const VSS_OBJECT_TYPE_COUNT: Self = Self(5);
}

/// 2.2.2.2 `VSS_MGMT_OBJECT_TYPE`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct MgmtObjectType(#[serde(with = "bits")] pub u32);

#[expect(missing_docs, reason = "the names are the specification's")]
impl MgmtObjectType {
    pub const VSS_MGMT_OBJECT_UNKNOWN: Self = Self(0);
    pub const VSS_MGMT_OBJECT_VOLUME: Self = Self(1);
    pub const VSS_MGMT_OBJECT_DIFF_VOLUME: Self = Self(2);
    pub const VSS_MGMT_OBJECT_DIFF_AREA: Self = Self(3);
}

/// 2.2.2.3 `VSS_VOLUME_SNAPSHOT_ATTRIBUTES`: of a shadow copy, and as the context of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Attributes(#[serde(with = "bits")] pub u32);

#[expect(missing_docs, reason = "the names are the specification's")]
impl Attributes {
    pub const VSS_VOLSNAP_ATTR_PERSISTENT: Self = Self(0x01);
    pub const VSS_VOLSNAP_ATTR_NO_AUTORECOVERY: Self = Self(0x02);
    pub const VSS_VOLSNAP_ATTR_CLIENT_ACCESSIBLE: Self = Self(0x04);
    pub const VSS_VOLSNAP_ATTR_NO_AUTO_RELEASE: Self = Self(0x08);
    pub const VSS_VOLSNAP_ATTR_NO_WRITERS: Self = Self(0x10);
}

impl Attributes {
    /// The bits of which the context of `QueryVolumesSupportedForSnapshots` is made (3.1.1.4.2).
    pub const CONTEXT: Self = Self(0x1d);
    /// The bits that 2.2.2.3 names.
    pub const NAMED: Self = Self(0x1f);

    /// Whether all bits of `other` are set.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The bits that are not among those of `other`.
    #[must_use]
    pub fn beyond(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// 2.2.2.4 `VSS_SNAPSHOT_STATE`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct SnapshotState(#[serde(with = "bits")] pub u32);

#[expect(missing_docs, reason = "the names are the specification's")]
impl SnapshotState {
    pub const VSS_SS_UNKNOWN: Self = Self(0);
    pub const VSS_SS_CREATED: Self = Self(0xc);
}

/// 2.2.2.5 `VSS_PROVIDER_TYPE`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct ProviderType(#[serde(with = "bits")] pub u32);

impl ProviderType {
    /// The only one.
    pub const VSS_PROV_UNKNOWN: Self = Self(0);
}

/// What an operation returned: the tables of section 3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Status(#[serde(with = "bits")] pub u32);

#[expect(missing_docs, reason = "the names are the specification's")]
impl Status {
    pub const S_OK: Self = Self(0);
    pub const S_FALSE: Self = Self(1);
    pub const E_ACCESSDENIED: Self = Self(0x8007_0005);
    pub const E_INVALIDARG: Self = Self(0x8007_0057);
    pub const VSS_E_PROVIDER_NOT_REGISTERED: Self = Self(0x8004_2304);
    pub const VSS_E_PROVIDER_VETO: Self = Self(0x8004_2306);
    pub const VSS_E_OBJECT_NOT_FOUND: Self = Self(0x8004_2308);
    pub const VSS_E_VOLUME_NOT_SUPPORTED: Self = Self(0x8004_230c);
    pub const VSS_E_OBJECT_ALREADY_EXISTS: Self = Self(0x8004_230d);
    pub const VSS_E_VOLUME_IN_USE: Self = Self(0x8004_231d);
    pub const VSS_E_MAXIMUM_DIFFAREA_ASSOCIATIONS_REACHED: Self = Self(0x8004_231e);
    pub const VSS_E_INSUFFICIENT_STORAGE: Self = Self(0x8004_231f);

    /// All of them.
    pub const LISTED: [Self; 12] = [
        Self::S_OK,
        Self::S_FALSE,
        Self::E_ACCESSDENIED,
        Self::E_INVALIDARG,
        Self::VSS_E_PROVIDER_NOT_REGISTERED,
        Self::VSS_E_PROVIDER_VETO,
        Self::VSS_E_OBJECT_NOT_FOUND,
        Self::VSS_E_VOLUME_NOT_SUPPORTED,
        Self::VSS_E_OBJECT_ALREADY_EXISTS,
        Self::VSS_E_VOLUME_IN_USE,
        Self::VSS_E_MAXIMUM_DIFFAREA_ASSOCIATIONS_REACHED,
        Self::VSS_E_INSUFFICIENT_STORAGE,
    ];
}

impl Status {
    /// Whether the severity bit says failure.
    pub fn is_failure(self) -> bool {
        self.0 >> 31 == 1
    }

    /// Whether it is one of [`LISTED`](Self::LISTED): others come from below the server's own code.
    pub fn is_listed(self) -> bool {
        Self::LISTED.contains(&self)
    }
}

/// A structure whose members may be missing, under the IDL's names.
macro_rules! structures {
    ($($(#[$doc:meta])* $name:ident { $($member:ident = $idl:literal: $ty:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $(
                #[doc = concat!("`", $idl, "`; none where it was not read.")]
                #[serde(rename = $idl, with = "read")]
                pub $member: Option<$ty>,
            )*
        }
    )*};
}

/// 2.2.1.2 `VSS_PWSZ`: a text, or a null pointer.
pub type Pwsz = Option<String>;

structures! {
    /// 2.2.3.2 `VSS_OBJECT_PROP`. The type is told twice: by the member, and as the discriminant of
    /// the union; what is there follows the latter.
    ObjectProp {
        ty = "Type": ObjectType,
        object = "Obj": ObjectUnion,
    }
    /// 2.2.3.1 `VSS_OBJECT_UNION`
    ObjectUnion {
        discriminant = "discriminant": ObjectType,
        arm = "arm": Object,
    }
    /// 2.2.3.6 `VSS_MGMT_OBJECT_PROP`. The type is told twice: by the member, and as the
    /// discriminant of the union; what is there follows the latter.
    MgmtObjectProp {
        ty = "Type": MgmtObjectType,
        object = "Obj": MgmtObjectUnion,
    }
    /// 2.2.3.5 `VSS_MGMT_OBJECT_UNION`
    MgmtObjectUnion {
        discriminant = "discriminant": MgmtObjectType,
        arm = "arm": MgmtObject,
    }
    /// 2.2.3.3 `VSS_SNAPSHOT_PROP`
    SnapshotProp {
        snapshot_id = "m_SnapshotId": VssId,
        snapshot_set_id = "m_SnapshotSetId": VssId,
        snapshots_count = "m_lSnapshotsCount": i32,
        snapshot_device_object = "m_pwszSnapshotDeviceObject": Pwsz,
        original_volume_name = "m_pwszOriginalVolumeName": Pwsz,
        originating_machine = "m_pwszOriginatingMachine": Pwsz,
        service_machine = "m_pwszServiceMachine": Pwsz,
        exposed_name = "m_pwszExposedName": Pwsz,
        exposed_path = "m_pwszExposedPath": Pwsz,
        provider_id = "m_ProviderId": VssId,
        attributes = "m_lSnapshotAttributes": Attributes,
        creation_timestamp = "m_tsCreationTimestamp": Timestamp,
        status = "m_eStatus": SnapshotState,
    }
    /// 2.2.3.4 `VSS_PROVIDER_PROP`, which is never sent
    ProviderProp {
        provider_id = "m_ProviderId": VssId,
        provider_name = "m_pwszProviderName": Pwsz,
        provider_type = "m_eProviderType": ProviderType,
        provider_version = "m_pwszProviderVersion": Pwsz,
        provider_version_id = "m_ProviderVersionId": VssId,
        class_id = "m_ClassId": VssId,
    }
    /// 2.2.3.7 `VSS_VOLUME_PROP`
    VolumeProp {
        volume_name = "m_pwszVolumeName": Pwsz,
        volume_display_name = "m_pwszVolumeDisplayName": Pwsz,
    }
    /// 2.2.3.8 `VSS_DIFF_VOLUME_PROP`
    DiffVolumeProp {
        volume_name = "m_pwszVolumeName": Pwsz,
        volume_display_name = "m_pwszVolumeDisplayName": Pwsz,
        volume_free_space = "m_llVolumeFreeSpace": i64,
        volume_total_space = "m_llVolumeTotalSpace": i64,
    }
    /// 2.2.3.9 `VSS_DIFF_AREA_PROP`
    DiffAreaProp {
        volume_name = "m_pwszVolumeName": Pwsz,
        diff_area_volume_name = "m_pwszDiffAreaVolumeName": Pwsz,
        maximum_diff_space = "m_llMaximumDiffSpace": i64,
        allocated_diff_space = "m_llAllocatedDiffSpace": i64,
        used_diff_space = "m_llUsedDiffSpace": i64,
    }
}

/// What is in a `VSS_OBJECT_UNION`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum Object {
    /// A shadow copy.
    Snap(Box<SnapshotProp>),
    /// A provider.
    Prov(ProviderProp),
    /// Nothing: the discriminant has no arm.
    #[serde(rename = "default")]
    Default,
}

/// What is in a `VSS_MGMT_OBJECT_UNION`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum MgmtObject {
    /// A volume that can be shadow copied.
    Vol(VolumeProp),
    /// A volume that can hold a diff area.
    DiffVol(DiffVolumeProp),
    /// A diff area.
    DiffArea(DiffAreaProp),
    /// Nothing: the discriminant has no arm.
    #[serde(rename = "default")]
    Default,
}

impl ObjectProp {
    /// What is there.
    pub fn arm(&self) -> Option<&Object> {
        self.object.as_ref()?.arm.as_ref()
    }

    /// The discriminant of the union.
    pub fn discriminant(&self) -> Option<ObjectType> {
        self.object.as_ref()?.discriminant
    }
}

impl MgmtObjectProp {
    /// What is there.
    pub fn arm(&self) -> Option<&MgmtObject> {
        self.object.as_ref()?.arm.as_ref()
    }

    /// The discriminant of the union.
    pub fn discriminant(&self) -> Option<MgmtObjectType> {
        self.object.as_ref()?.discriminant
    }
}
