//! 2.2.31 SMB2 IOCTL Request and 2.2.32 SMB2 IOCTL Response

use super::FileId;
use super::message::buffer;
use crate::bytes::{Reader, Sink, Span, Stop, View};

/// 2.2.31 SMB2 IOCTL Request
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ioctl {
    /// `CtlCode`.
    pub ctl_code: u32,
    /// `FileId`.
    pub file_id: FileId,
    /// Where the input lies.
    pub input: Span,
}

/// 2.2.32 SMB2 IOCTL Response
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IoctlAnswer {
    /// `CtlCode`.
    pub ctl_code: u32,
    /// `FileId`.
    pub file_id: FileId,
    /// Where the output lies.
    pub output: Span,
}

/// \[MS-FSCC\] 2.3.49 `FSCTL_PIPE_TRANSCEIVE`: writes a message to a pipe and reads its answer.
pub(super) const FSCTL_PIPE_TRANSCEIVE: u32 = 0x0011_C017;

/// \[MS-DFSC\] 2.2.2 `REQ_GET_DFS_REFERRAL`: where does this path lead?
const FSCTL_DFS_GET_REFERRALS: u32 = 0x0006_0194;
/// \[MS-DFSC\] 2.2.3 `REQ_GET_DFS_REFERRAL_EX`: the same, with what helps to answer.
const FSCTL_DFS_GET_REFERRALS_EX: u32 = 0x0006_01B0;

/// Whether it asks DFS where a path leads.
pub(super) fn asks_referral(ctl_code: u32) -> bool {
    matches!(ctl_code, FSCTL_DFS_GET_REFERRALS | FSCTL_DFS_GET_REFERRALS_EX)
}

/// The path that a client asks DFS about, if that is what the control is for.
pub(super) fn referral(input: View<'_>, ctl_code: u32) -> Option<String> {
    let mut none = ();
    let mut r = Reader::new(input, &mut none);
    r.u16(dec!("MaxReferralLevel")).ok()?;
    let len = match ctl_code {
        FSCTL_DFS_GET_REFERRALS => r.left(),
        FSCTL_DFS_GET_REFERRALS_EX => {
            r.u16(hex!("RequestFlags")).ok()?;
            r.u32(dec!("RequestDataLength")).ok()?;
            r.u16(dec!("RequestFileNameLength")).ok()?.into()
        }
        _ => return None,
    };
    let path = r.utf16(dec!("RequestFileName"), len).ok()?;
    Some(path.split('\0').next().unwrap_or_default().to_owned())
}

/// Whether it can only be meant for a named pipe: its device type is `FILE_DEVICE_NAMED_PIPE`.
pub(super) fn is_pipe_control(ctl_code: u32) -> bool {
    ctl_code >> 16 == 0x11
}

const CTL_CODES: &[(u64, &str)] = &[
    (0x0006_0194, "FSCTL_DFS_GET_REFERRALS"),
    (0x0006_01B0, "FSCTL_DFS_GET_REFERRALS_EX"),
    (0x0009_00A4, "FSCTL_SET_REPARSE_POINT"),
    (0x0009_8208, "FSCTL_FILE_LEVEL_TRIM"),
    (0x0011_0018, "FSCTL_PIPE_WAIT"),
    (0x0011_400C, "FSCTL_PIPE_PEEK"),
    (0x0011_C017, "FSCTL_PIPE_TRANSCEIVE"),
    (0x0014_0078, "FSCTL_SRV_REQUEST_RESUME_KEY"),
    (0x0014_01D4, "FSCTL_LMR_REQUEST_RESILIENCY"),
    (0x0014_01FC, "FSCTL_QUERY_NETWORK_INTERFACE_INFO"),
    (0x0014_0204, "FSCTL_VALIDATE_NEGOTIATE_INFO"),
    (0x0014_4064, "FSCTL_SRV_ENUMERATE_SNAPSHOTS"),
    (0x0014_40F2, "FSCTL_SRV_COPYCHUNK"),
    (0x0014_41BB, "FSCTL_SRV_READ_HASH"),
    (0x0014_80F2, "FSCTL_SRV_COPYCHUNK_WRITE"),
];
const FLAGS: &[(u64, &str)] = &[(1, "SMB2_0_IOCTL_IS_FSCTL")];

pub(super) fn request<S: Sink>(r: &mut Reader<'_, '_, S>, base: u32) -> Result<Ioctl, Stop> {
    r.u16(dec!("StructureSize"))?;
    r.u16(dec!("Reserved"))?;
    let ctl_code = r.u32(named!("CtlCode", CTL_CODES))?;
    let file_id = FileId::read(r)?;
    let at = r.u32(dec!("InputOffset"))?;
    let len = r.u32(dec!("InputCount"))?;
    r.u32(dec!("MaxInputResponse"))?;
    let out_at = r.u32(dec!("OutputOffset"))?;
    let out_len = r.u32(dec!("OutputCount"))?;
    r.u32(dec!("MaxOutputResponse"))?;
    r.u32(flags!("Flags", FLAGS))?;
    r.u32(dec!("Reserved2"))?;
    let input = buffer(r, base, at, len, dec!("Input"), "InputOffset")?;
    buffer(r, base, out_at, out_len, dec!("Output"), "OutputOffset")?;
    Ok(Ioctl { ctl_code, file_id, input })
}

pub(super) fn response<S: Sink>(r: &mut Reader<'_, '_, S>, base: u32) -> Result<IoctlAnswer, Stop> {
    r.u16(dec!("StructureSize"))?;
    r.u16(dec!("Reserved"))?;
    let ctl_code = r.u32(named!("CtlCode", CTL_CODES))?;
    let file_id = FileId::read(r)?;
    let in_at = r.u32(dec!("InputOffset"))?;
    let in_len = r.u32(dec!("InputCount"))?;
    let at = r.u32(dec!("OutputOffset"))?;
    let len = r.u32(dec!("OutputCount"))?;
    r.u32(hex!("Flags"))?;
    r.u32(dec!("Reserved2"))?;
    buffer(r, base, in_at, in_len, dec!("Input"), "InputOffset")?;
    let output = buffer(r, base, at, len, dec!("Output"), "OutputOffset")?;
    Ok(IoctlAnswer { ctl_code, file_id, output })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `MaxReferralLevel` 4, then the name.
    fn request(name: &str) -> Vec<u8> {
        let name = name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes);
        [4, 0].into_iter().chain(name).collect()
    }

    fn path(input: &[u8], ctl_code: u32) -> Option<String> {
        referral(View::new(input, &[], &[]), ctl_code)
    }

    #[test]
    fn paths_that_dfs_is_asked_about() {
        const PATH: &str = r"\lab\dfs";
        let plain = request(PATH);
        assert_eq!(path(&plain, FSCTL_DFS_GET_REFERRALS).as_deref(), Some(PATH));
        for n in 0..plain.len() {
            // What is cut of a name is not missed; its terminator is not needed.
            let told = path(&plain[..n], FSCTL_DFS_GET_REFERRALS);
            assert_eq!(told.is_some(), n >= 2, "{n} octets");
            assert!(told.unwrap_or_default().len() <= PATH.len());
        }
        assert_eq!(path(&plain, FSCTL_PIPE_TRANSCEIVE), None);
        // RequestFlags, RequestDataLength, RequestFileNameLength between the two.
        let name = &plain[2..];
        let len = u8::try_from(name.len()).unwrap();
        let extended = [&[4, 0, 1, 0, len + 2, 0, 0, 0, len, 0][..], name, b"site"].concat();
        assert_eq!(path(&extended, FSCTL_DFS_GET_REFERRALS_EX).as_deref(), Some(PATH));
        for n in 0..extended.len() - 4 {
            assert_eq!(path(&extended[..n], FSCTL_DFS_GET_REFERRALS_EX), None, "{n} octets");
        }
        let mut long = extended;
        long[9] = 1;
        assert_eq!(path(&long, FSCTL_DFS_GET_REFERRALS_EX), None);
    }
}
