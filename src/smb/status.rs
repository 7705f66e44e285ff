//! \[MS-ERREF\] 2.3 NTSTATUS: the values that occur over SMB.

use std::fmt;

use crate::bytes::{Reader, Sink, Span, Stop};

/// An NTSTATUS, or an error of DOS and OS/2 (\[MS-CIFS\] 2.2.2.4): its class is the lowest octet, its
/// code the upper half, which is how \[MS-CIFS\] writes those that have no NTSTATUS of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Status(pub u32);

impl Status {
    /// `STATUS_SUCCESS`
    pub const SUCCESS: Self = Self(0);
    /// `STATUS_PENDING`: an interim response; another follows.
    pub const PENDING: Self = Self(0x0000_0103);
    /// `STATUS_BUFFER_OVERFLOW`: some of the message, more can be read.
    pub const BUFFER_OVERFLOW: Self = Self(0x8000_0005);
    /// `STATUS_MORE_PROCESSING_REQUIRED`: the logon goes on.
    pub const MORE_PROCESSING_REQUIRED: Self = Self(0xC000_0016);

    /// Whether the severity is error (\[MS-ERREF\] 2.3), or it is an error of DOS.
    pub fn is_error(self) -> bool {
        // ERRDOS, ERRSRV, ERRHRD and ERRCMD. No NTSTATUS that occurs over SMB and is no error has one
        // of these in its lower half and anything in its upper.
        let dos = self.0 >> 16 != 0 && matches!(self.0 & 0xffff, 1..=3 | 0xff);
        self.0 >> 30 == 3 || dos
    }

    /// Its name.
    pub fn name(self) -> Option<&'static str> {
        NAMES.iter().find(|(value, _)| *value == self.0).map(|(_, name)| *name)
    }

    /// Every value with a name.
    pub fn named() -> impl Iterator<Item = (Self, &'static str)> {
        NAMES.iter().map(|(value, name)| (Self(*value), *name))
    }

    /// Reads one with its row.
    pub(super) fn read<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<Self, Stop> {
        let at = r.pos();
        let status = Self(r.raw_u32()?);
        if S::ROWS {
            let span = Span::new(at, r.pos());
            r.sink().row("Status", status.to_string(), span);
        }
        Ok(status)
    }

    /// Reads an error as SMB1 has it where `SMB_FLAGS2_NT_STATUS` is not set.
    pub(super) fn dos<S: Sink>(r: &mut Reader<'_, '_, S>) -> Result<Self, Stop> {
        /// ERRDOS/ERRmoredata, which is the warning that more can be read.
        const MORE_DATA: Status = Status(0x00EA_0001);
        let class = r.u8(named!("ErrorClass", CLASSES))?;
        r.u8(dec!("Reserved"))?;
        let at = r.pos();
        let code = r.raw_u16()?;
        let status = Self(u32::from(code) << 16 | u32::from(class));
        if S::ROWS {
            let span = Span::new(at, r.pos());
            let name =
                status.name().map_or_else(|| code.to_string(), |name| format!("{name} ({code})"));
            r.sink().row("ErrorCode", name, span);
        }
        Ok(if status == MORE_DATA { Self::BUFFER_OVERFLOW } else { status })
    }
}

const CLASSES: &[(u64, &str)] =
    &[(0, "SUCCESS"), (1, "ERRDOS"), (2, "ERRSRV"), (3, "ERRHRD"), (0xff, "ERRCMD")];

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} (0x{:08x})", self.0),
            None => write!(f, "0x{:08x}", self.0),
        }
    }
}

#[rustfmt::skip]
const NAMES: &[(u32, &str)] = &[
    (0x0000_0000, "STATUS_SUCCESS"),
    (0x0000_0103, "STATUS_PENDING"),
    (0x0000_010B, "STATUS_NOTIFY_CLEANUP"),
    (0x0000_010C, "STATUS_NOTIFY_ENUM_DIR"),
    (0x0001_0001, "ERRDOS/ERRbadfunc"),
    (0x0001_0002, "ERRSRV/ERRerror"),
    (0x0002_0001, "ERRDOS/ERRbadfile"),
    (0x0002_0002, "ERRSRV/ERRbadpw"),
    (0x0003_0001, "ERRDOS/ERRbadpath"),
    (0x0004_0001, "ERRDOS/ERRnofids"),
    (0x0004_0002, "ERRSRV/ERRaccess"),
    (0x0005_0001, "ERRDOS/ERRnoaccess"),
    (0x0005_0002, "ERRSRV/ERRinvtid"),
    (0x0006_0001, "ERRDOS/ERRbadfid"),
    (0x0006_0002, "ERRSRV/ERRinvnetname"),
    (0x0007_0002, "ERRSRV/ERRinvdevice"),
    (0x0008_0001, "ERRDOS/ERRnomem"),
    (0x000C_0001, "ERRDOS/ERRbadaccess"),
    (0x0013_0003, "ERRHRD/ERRnowrite"),
    (0x0016_0002, "ERRSRV/ERRsmbcmd"),
    (0x0020_0001, "ERRDOS/ERRbadshare"),
    (0x0032_0001, "ERRDOS/ERRunsup"),
    (0x0035_0001, "ERRDOS/ERRnetnamedel"),
    (0x0040_0002, "ERRSRV/ERRbadtype"),
    (0x0043_0001, "ERRDOS/ERRnosuchshare"),
    (0x0050_0001, "ERRDOS/ERRfilexists"),
    (0x0051_0002, "ERRSRV/ERRpaused"),
    (0x0057_0001, "ERRDOS/ERRinvalidparam"),
    (0x0059_0002, "ERRSRV/ERRnoresource"),
    (0x005A_0002, "ERRSRV/ERRtoomanyuids"),
    (0x005B_0002, "ERRSRV/ERRbaduid"),
    (0x007B_0001, "ERRDOS/ERRinvalidname"),
    (0x007C_0001, "ERRDOS/ERRunknownlevel"),
    (0x00E6_0001, "ERRDOS/ERRbadpipe"),
    (0x00E7_0001, "ERRDOS/ERRpipebusy"),
    (0x00E8_0001, "ERRDOS/ERRpipeclosing"),
    (0x00E9_0001, "ERRDOS/ERRnotconnected"),
    (0x00EA_0001, "ERRDOS/ERRmoredata"),
    (0x08BF_0002, "ERRSRV/ERRaccountExpired"),
    (0x08C0_0002, "ERRSRV/ERRbadClient"),
    (0x08C1_0002, "ERRSRV/ERRbadLogonTime"),
    (0x08C2_0002, "ERRSRV/ERRpasswordExpired"),
    (0x8000_0005, "STATUS_BUFFER_OVERFLOW"),
    (0x8000_0006, "STATUS_NO_MORE_FILES"),
    (0x8000_002D, "STATUS_STOPPED_ON_SYMLINK"),
    (0xC000_0001, "STATUS_UNSUCCESSFUL"),
    (0xC000_0002, "STATUS_NOT_IMPLEMENTED"),
    (0xC000_0003, "STATUS_INVALID_INFO_CLASS"),
    (0xC000_0004, "STATUS_INFO_LENGTH_MISMATCH"),
    (0xC000_0008, "STATUS_INVALID_HANDLE"),
    (0xC000_000B, "STATUS_INVALID_CID"),
    (0xC000_000D, "STATUS_INVALID_PARAMETER"),
    (0xC000_000E, "STATUS_NO_SUCH_DEVICE"),
    (0xC000_000F, "STATUS_NO_SUCH_FILE"),
    (0xC000_0010, "STATUS_INVALID_DEVICE_REQUEST"),
    (0xC000_0011, "STATUS_END_OF_FILE"),
    (0xC000_0016, "STATUS_MORE_PROCESSING_REQUIRED"),
    (0xC000_0017, "STATUS_NO_MEMORY"),
    (0xC000_0022, "STATUS_ACCESS_DENIED"),
    (0xC000_0023, "STATUS_BUFFER_TOO_SMALL"),
    (0xC000_0024, "STATUS_OBJECT_TYPE_MISMATCH"),
    (0xC000_0033, "STATUS_OBJECT_NAME_INVALID"),
    (0xC000_0034, "STATUS_OBJECT_NAME_NOT_FOUND"),
    (0xC000_0035, "STATUS_OBJECT_NAME_COLLISION"),
    (0xC000_003A, "STATUS_OBJECT_PATH_NOT_FOUND"),
    (0xC000_003B, "STATUS_OBJECT_PATH_SYNTAX_BAD"),
    (0xC000_0043, "STATUS_SHARING_VIOLATION"),
    (0xC000_0054, "STATUS_FILE_LOCK_CONFLICT"),
    (0xC000_0055, "STATUS_LOCK_NOT_GRANTED"),
    (0xC000_0056, "STATUS_DELETE_PENDING"),
    (0xC000_005E, "STATUS_NO_LOGON_SERVERS"),
    (0xC000_0061, "STATUS_PRIVILEGE_NOT_HELD"),
    (0xC000_0064, "STATUS_NO_SUCH_USER"),
    (0xC000_006A, "STATUS_WRONG_PASSWORD"),
    (0xC000_006C, "STATUS_PASSWORD_RESTRICTION"),
    (0xC000_006D, "STATUS_LOGON_FAILURE"),
    (0xC000_006E, "STATUS_ACCOUNT_RESTRICTION"),
    (0xC000_006F, "STATUS_INVALID_LOGON_HOURS"),
    (0xC000_0070, "STATUS_INVALID_WORKSTATION"),
    (0xC000_0071, "STATUS_PASSWORD_EXPIRED"),
    (0xC000_0072, "STATUS_ACCOUNT_DISABLED"),
    (0xC000_007F, "STATUS_DISK_FULL"),
    (0xC000_0099, "STATUS_FILE_INVALID"),
    (0xC000_009A, "STATUS_INSUFFICIENT_RESOURCES"),
    (0xC000_00A2, "STATUS_MEDIA_WRITE_PROTECTED"),
    (0xC000_00AB, "STATUS_INSTANCE_NOT_AVAILABLE"),
    (0xC000_00AC, "STATUS_PIPE_NOT_AVAILABLE"),
    (0xC000_00AD, "STATUS_INVALID_PIPE_STATE"),
    (0xC000_00AE, "STATUS_PIPE_BUSY"),
    (0xC000_00AF, "STATUS_ILLEGAL_FUNCTION"),
    (0xC000_00B0, "STATUS_PIPE_DISCONNECTED"),
    (0xC000_00B1, "STATUS_PIPE_CLOSING"),
    (0xC000_00B5, "STATUS_IO_TIMEOUT"),
    (0xC000_00BA, "STATUS_FILE_IS_A_DIRECTORY"),
    (0xC000_00BB, "STATUS_NOT_SUPPORTED"),
    (0xC000_00BE, "STATUS_BAD_NETWORK_PATH"),
    (0xC000_00C0, "STATUS_DEVICE_DOES_NOT_EXIST"),
    (0xC000_00C3, "STATUS_INVALID_NETWORK_RESPONSE"),
    (0xC000_00C9, "STATUS_NETWORK_NAME_DELETED"),
    (0xC000_00CA, "STATUS_NETWORK_ACCESS_DENIED"),
    (0xC000_00CB, "STATUS_BAD_DEVICE_TYPE"),
    (0xC000_00CC, "STATUS_BAD_NETWORK_NAME"),
    (0xC000_00CE, "STATUS_TOO_MANY_SESSIONS"),
    (0xC000_00D0, "STATUS_REQUEST_NOT_ACCEPTED"),
    (0xC000_00D4, "STATUS_NOT_SAME_DEVICE"),
    (0xC000_00D9, "STATUS_PIPE_EMPTY"),
    (0xC000_00DC, "STATUS_INVALID_SERVER_STATE"),
    (0xC000_00E5, "STATUS_INTERNAL_ERROR"),
    (0xC000_0101, "STATUS_DIRECTORY_NOT_EMPTY"),
    (0xC000_0103, "STATUS_NOT_A_DIRECTORY"),
    (0xC000_011F, "STATUS_TOO_MANY_OPENED_FILES"),
    (0xC000_0120, "STATUS_CANCELLED"),
    (0xC000_0121, "STATUS_CANNOT_DELETE"),
    (0xC000_0128, "STATUS_FILE_CLOSED"),
    (0xC000_0133, "STATUS_TIME_DIFFERENCE_AT_DC"),
    (0xC000_013B, "STATUS_LOCAL_DISCONNECT"),
    (0xC000_014B, "STATUS_PIPE_BROKEN"),
    (0xC000_015B, "STATUS_LOGON_TYPE_NOT_GRANTED"),
    (0xC000_0184, "STATUS_INVALID_DEVICE_STATE"),
    (0xC000_018A, "STATUS_NO_TRUST_LSA_SECRET"),
    (0xC000_018B, "STATUS_NO_TRUST_SAM_ACCOUNT"),
    (0xC000_018C, "STATUS_TRUSTED_DOMAIN_FAILURE"),
    (0xC000_018D, "STATUS_TRUSTED_RELATIONSHIP_FAILURE"),
    (0xC000_0190, "STATUS_TRUST_FAILURE"),
    (0xC000_0192, "STATUS_NETLOGON_NOT_STARTED"),
    (0xC000_0193, "STATUS_ACCOUNT_EXPIRED"),
    (0xC000_0199, "STATUS_NOLOGON_WORKSTATION_TRUST_ACCOUNT"),
    (0xC000_0203, "STATUS_USER_SESSION_DELETED"),
    (0xC000_0205, "STATUS_INSUFF_SERVER_RESOURCES"),
    (0xC000_020C, "STATUS_CONNECTION_DISCONNECTED"),
    (0xC000_020D, "STATUS_CONNECTION_RESET"),
    (0xC000_0224, "STATUS_PASSWORD_MUST_CHANGE"),
    (0xC000_0225, "STATUS_NOT_FOUND"),
    (0xC000_0234, "STATUS_ACCOUNT_LOCKED_OUT"),
    (0xC000_0236, "STATUS_CONNECTION_REFUSED"),
    (0xC000_0257, "STATUS_PATH_NOT_COVERED"),
    (0xC000_026E, "STATUS_VOLUME_DISMOUNTED"),
    (0xC000_0275, "STATUS_NOT_A_REPARSE_POINT"),
    (0xC000_035C, "STATUS_NETWORK_SESSION_EXPIRED"),
    (0xC000_0380, "STATUS_SMARTCARD_SUBSYSTEM_FAILURE"),
    (0xC000_0413, "STATUS_AUTHENTICATION_FIREWALL_FAILED"),
    (0xC000_0418, "STATUS_NTLM_BLOCKED"),
    (0xC000_0466, "STATUS_SERVER_UNAVAILABLE"),
    (0xC000_0467, "STATUS_FILE_NOT_AVAILABLE"),
    (0xC05D_0000, "STATUS_SMB_NO_PREAUTH_INTEGRITY_HASH_OVERLAP"),
    (0xC05D_0001, "STATUS_SMB_BAD_CLUSTER_DIALECT"),
    (0xFFFF_0002, "ERRSRV/ERRnosupport"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_errors_are_errors() {
        assert!(NAMES.is_sorted_by(|a, b| a.0 < b.0));
        assert!(Status(0xC000_0022).is_error() && !Status::BUFFER_OVERFLOW.is_error());
        assert_eq!(Status(0xC000_0022).to_string(), "STATUS_ACCESS_DENIED (0xc0000022)");
        assert_eq!(Status(0xC123_4567).to_string(), "0xc1234567");
    }
}
