//! 2.2.4.33 `SMB_COM_TRANSACTION` and 2.2.4.34 `SMB_COM_TRANSACTION_SECONDARY`: what asks a pipe
//!
//! ```text
//!  client   TRANSACTION ─────── TRANSACTION_SECONDARY … (Totals, Counts, Displacements)
//!  server        └─ interim response ─┘        └─ response, response …
//! ```

use super::Fid;
use super::block::{Place, byte_count};
use super::text::string;
use crate::bytes::{Reader, Sink, Span, Stop};

/// 2.2.4.33.1: the first request of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// `Name`: `\PIPE\` or the pipe's own path.
    pub name: String,
    /// `Setup[0]` of a transaction on a pipe (2.2.5 Transaction Subcommands).
    pub subcommand: Option<u16>,
    /// `Setup[1]`, where it is the pipe.
    pub fid: Option<Fid>,
    /// The data that came with it.
    pub part: Part,
}

/// Data of a transaction, as much of them as came in one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// `TotalDataCount`: bytes of all parts together.
    pub total: u16,
    /// `DataDisplacement`: where in all data these belong.
    pub displacement: u16,
    /// Where they lie.
    pub data: Span,
}

/// 2.2.5.2 `TRANS_RAW_READ_NMPIPE`
pub(super) const RAW_READ_NMPIPE: u16 = 0x0011;
/// 2.2.5.6 `TRANS_TRANSACT_NMPIPE`
pub(super) const TRANSACT_NMPIPE: u16 = 0x0026;
/// 2.2.5.7 `TRANS_RAW_WRITE_NMPIPE`
pub(super) const RAW_WRITE_NMPIPE: u16 = 0x0031;
/// 2.2.5.8 `TRANS_READ_NMPIPE`
pub(super) const READ_NMPIPE: u16 = 0x0036;
/// 2.2.5.9 `TRANS_WRITE_NMPIPE`
pub(super) const WRITE_NMPIPE: u16 = 0x0037;
/// 2.2.5.10 `TRANS_WAIT_NMPIPE`
pub(super) const WAIT_NMPIPE: u16 = 0x0053;
/// 2.2.5.11 `TRANS_CALL_NMPIPE`
pub(super) const CALL_NMPIPE: u16 = 0x0054;

const SUBCOMMANDS: &[(u64, &str)] = &[
    (0x01, "TRANS_SET_NMPIPE_STATE"),
    (0x11, "TRANS_RAW_READ_NMPIPE"),
    (0x21, "TRANS_QUERY_NMPIPE_STATE"),
    (0x22, "TRANS_QUERY_NMPIPE_INFO"),
    (0x23, "TRANS_PEEK_NMPIPE"),
    (0x26, "TRANS_TRANSACT_NMPIPE"),
    (0x31, "TRANS_RAW_WRITE_NMPIPE"),
    (0x36, "TRANS_READ_NMPIPE"),
    (0x37, "TRANS_WRITE_NMPIPE"),
    (0x53, "TRANS_WAIT_NMPIPE"),
    (0x54, "TRANS_CALL_NMPIPE"),
];
const FLAGS: &[(u64, &str)] = &[(1, "DISCONNECT_TID"), (2, "NO_RESPONSE")];

/// Offset and length of parameters and data.
#[derive(Clone, Copy)]
struct Layout {
    parameters: (u16, u16),
    data: (u16, u16),
}

impl Layout {
    /// Gives where the data lie.
    fn read<S: Sink>(self, r: &mut Reader<'_, '_, S>, place: Place) -> Result<Span, Stop> {
        let (offset, len) = self.parameters;
        place.buffer(r, offset, len.into(), dec!("Trans_Parameters"), "ParameterOffset")?;
        let (offset, len) = self.data;
        place.buffer(r, offset, len.into(), dec!("Trans_Data"), "DataOffset")
    }
}

/// 2.2.4.33.1
pub(super) fn request<S: Sink>(
    r: &mut Reader<'_, '_, S>,
    place: Place,
) -> Result<Transaction, Stop> {
    let (total, layout, setup) = place.words(r, |r| {
        r.u16(dec!("TotalParameterCount"))?;
        let total = r.u16(dec!("TotalDataCount"))?;
        r.u16(dec!("MaxParameterCount"))?;
        r.u16(dec!("MaxDataCount"))?;
        r.u8(dec!("MaxSetupCount"))?;
        r.u8(dec!("Reserved1"))?;
        r.u16(flags!("Flags", FLAGS))?;
        r.u32(hex!("Timeout"))?;
        r.u16(dec!("Reserved2"))?;
        let len = r.u16(dec!("ParameterCount"))?;
        let parameters = (r.u16(dec!("ParameterOffset"))?, len);
        let len = r.u16(dec!("DataCount"))?;
        let data = (r.u16(dec!("DataOffset"))?, len);
        let count = r.u8(dec!("SetupCount"))?;
        r.u8(dec!("Reserved3"))?;
        // On pipes it is always these two; mailslots have three, and the LAN Manager API none.
        let mut setup = None;
        if count == 2 {
            let subcommand = r.u16(named!("Subcommand", SUBCOMMANDS))?;
            let without_fid = matches!(subcommand, WAIT_NMPIPE | CALL_NMPIPE);
            let fid = if without_fid {
                r.u16(dec!("Priority"))?;
                None
            } else {
                Some(Fid::read(r)?)
            };
            setup = Some((subcommand, fid));
        }
        Ok((total, Layout { parameters, data }, setup))
    })?;
    let end = byte_count(r)?;
    let len = end.saturating_sub(r.pos());
    let name = r.within(len, "ByteCount", |r| string(r, place, dec!("Name")))?;
    let data = layout.read(r, place)?;
    let part = Part { total, displacement: 0, data };
    let is_pipe = name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("\\PIPE"));
    let (subcommand, fid) = setup.filter(|_| is_pipe).unzip();
    Ok(Transaction { name, subcommand, fid: fid.flatten(), part })
}

/// 2.2.4.34.1
pub(super) fn secondary<S: Sink>(r: &mut Reader<'_, '_, S>, place: Place) -> Result<Part, Stop> {
    let (part, layout) = place.words(r, |r| {
        r.u16(dec!("TotalParameterCount"))?;
        let total = r.u16(dec!("TotalDataCount"))?;
        parts(r, total)
    })?;
    byte_count(r)?;
    Ok(Part { data: layout.read(r, place)?, ..part })
}

/// 2.2.4.33.2
pub(super) fn response<S: Sink>(r: &mut Reader<'_, '_, S>, place: Place) -> Result<Part, Stop> {
    let (part, layout) = place.words(r, |r| {
        r.u16(dec!("TotalParameterCount"))?;
        let total = r.u16(dec!("TotalDataCount"))?;
        r.u16(dec!("Reserved1"))?;
        let parts = parts(r, total)?;
        r.u8(dec!("SetupCount"))?;
        r.u8(dec!("Reserved2"))?;
        Ok(parts)
    })?;
    byte_count(r)?;
    Ok(Part { data: layout.read(r, place)?, ..part })
}

/// Counts, offsets and displacements, which secondary requests and responses have alike.
fn parts<S: Sink>(r: &mut Reader<'_, '_, S>, total: u16) -> Result<(Part, Layout), Stop> {
    let len = r.u16(dec!("ParameterCount"))?;
    let parameters = (r.u16(dec!("ParameterOffset"))?, len);
    r.u16(dec!("ParameterDisplacement"))?;
    let len = r.u16(dec!("DataCount"))?;
    let data = (r.u16(dec!("DataOffset"))?, len);
    let displacement = r.u16(dec!("DataDisplacement"))?;
    let part = Part { total, displacement, data: Span::default() };
    Ok((part, Layout { parameters, data }))
}
