//! The list of packets.

use std::net::SocketAddr;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::super::model::{Focus, Model};
use super::super::rows::Packet;
use super::super::text::{Row, columns, fit, right};
use super::super::theme::Role;
use super::{header, lines};

/// Draws the packets that are on the screen.
pub(super) fn draw(model: &Model<'_>, frame: &mut Frame<'_>, area: Rect) {
    let width = usize::from(area.width);
    let wide = width >= 100;
    // Where there is little room addresses go without their ports, and long ones are cut.
    let end = |end: &str| match end.parse::<SocketAddr>() {
        Ok(end) if !wide => end.ip().to_string(),
        _ => end.to_owned(),
    };
    let widest = |of: fn(&Packet) -> &String| {
        let all = model.packets.iter().map(|packet| columns(&end(of(packet))));
        all.max().unwrap_or(0).clamp(9, if wide { 24 } else { 15 })
    };
    let (from, to) = (widest(|of| &of.src), widest(|of| &of.dst));
    let first = model.trace.began();
    let when = first.map(|first| model.time.head(first, &model.time.zone())).unwrap_or_default();
    let length = if wide { format!("{}  ", right("bytes", 7)) } else { String::new() };
    let head = format!(
        "   frame {}  {}  {}  proto {length}what",
        fit(&when, 12),
        fit("from", from),
        fit("to", to)
    );
    let mut drawn = vec![header(model, &head, area.width, model.focus == Focus::List)];
    for packet in &model.packets {
        let over = match (packet.no == model.frame, model.focus) {
            (true, Focus::List) => Some(Role::Selected),
            (true, _) => Some(Role::Held),
            (false, _) => None,
        };
        let mark = if packet.marked { "*" } else { " " };
        let mut row = Row::one(mark, Role::Marked)
            .add(format!("{:>7} ", packet.no), Role::Plain)
            .add(format!("{}  ", fit(&packet.time, 12)), Role::Dim)
            .add(
                format!("{}  {}  ", fit(&end(&packet.src), from), fit(&end(&packet.dst), to)),
                Role::Plain,
            )
            .add(format!("{} ", fit(packet.protocol, 5)), Role::Name);
        if wide {
            row.push(format!("{}  ", right(&packet.len.to_string(), 7)), Role::Dim);
        }
        let sign = if packet.bad { "! " } else { "" };
        let role = if packet.bad { Role::Bad } else { Role::Plain };
        row.push(format!("{sign}{}", packet.about), role);
        drawn.push(row.line(width, model.theme, over));
    }
    lines(frame, area, drawn);
}
