//! `hotline graph`: a dialplan as a drawing.

use std::{fs, path::PathBuf};

use anyhow::{Context, bail};
use layout::{
    adt::dag::NodeHandle,
    backends::svg::SVGWriter,
    core::{
        base::Orientation, color::Color, geometry::Point, style::LineStyleKind, style::StyleAttr,
    },
    std_shapes::shapes::{Arrow, Element, LineEndKind, ShapeKind},
    topo::layout::VisualGraph,
};

use crate::dialplan::{Graph, GraphNode};

/// Letters in points, and how much room a box leaves around them.
const FONT: usize = 14;
const MARGIN: f64 = 18.0;
/// Room for labels left and right of all boxes.
const MARGIN_OF_LABELS: f64 = 140.0;
/// Widths of lines in Latin letters; a Chinese character counts for two.
const LINE: usize = 34;
/// Lines of a node's words.
const LINES: usize = 3;

/// Arguments of `hotline graph`.
#[derive(Debug, clap::Args)]
pub struct GraphArgs {
    /// The dialplan
    #[arg(value_name = "DIALPLAN")]
    pub dialplan: PathBuf,
    /// Only this flow, and the nodes that it leads to
    #[arg(long)]
    pub flow: Option<String>,
    /// File for the drawing (SVG); unless given, standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Draws the dialplan.
///
/// # Errors
/// When the dialplan has errors, there is no such flow, or the file cannot be written.
pub fn run(args: &GraphArgs) -> anyhow::Result<()> {
    let plan = super::dialplan(&args.dialplan)?;
    let graph = plan.graph();
    if let Some(flow) = &args.flow
        && !graph.nodes.iter().any(|node| flow_of(node) == flow)
    {
        bail!("no flow `{flow}` in {}", args.dialplan.display());
    }
    let svg = draw(&graph, args.flow.as_deref());
    match &args.output {
        Some(path) => {
            fs::write(path, svg).with_context(|| format!("cannot write {}", path.display()))
        }
        None => {
            println!("{svg}");
            Ok(())
        }
    }
}

/// The drawing as SVG, of the whole dialplan or of one flow.
fn draw(graph: &Graph, flow: Option<&str>) -> String {
    let within = |node: &GraphNode| flow.is_none_or(|flow| flow_of(node) == flow);
    let edges: Vec<_> = graph
        .edges
        .iter()
        .filter(|edge| match edge.from {
            Some(from) => within(&graph.nodes[from]),
            None => flow.is_none(),
        })
        .collect();
    let mut drawing = VisualGraph::new(Orientation::TopToBottom);
    let mut boxes: Vec<Option<NodeHandle>> = vec![None; graph.nodes.len()];
    let led_to = |index: usize| edges.iter().any(|edge| edge.to == index);
    for (index, node) in graph.nodes.iter().enumerate() {
        if within(node) || led_to(index) {
            boxes[index] = Some(drawing.add_node(element(node, index == graph.start)));
        }
    }
    let everywhere = edges.iter().any(|edge| edge.from.is_none());
    let anywhere = everywhere.then(|| drawing.add_node(boxed("at any question", "#eeeeee", 1)));
    for edge in edges {
        let from = edge.from.map_or(anywhere, |from| boxes[from]);
        if let (Some(from), Some(to)) = (from, boxes[edge.to]) {
            let style =
                if edge.from.is_some() { LineStyleKind::Normal } else { LineStyleKind::Dashed };
            let look = look("#ffffff", 1);
            let arrow = Arrow::new(
                LineEndKind::None,
                LineEndKind::Arrow,
                style,
                &edge.label,
                &look,
                &None,
                &None,
            );
            drawing.add_edge(arrow, from, to);
        }
    }
    let mut svg = SVGWriter::new();
    drawing.do_it(false, false, false, &mut svg);
    with_margins(&svg.finalize())
}

/// The crate's drawing ends where its boxes do, and labels stand out beyond them.
fn with_margins(svg: &str) -> String {
    let Some((width, rest)) = svg
        .split_once("<svg width=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .and_then(|(width, rest)| Some((width.parse::<f64>().ok()?, rest)))
    else {
        return svg.to_owned();
    };
    let wider = width + 2.0 * MARGIN_OF_LABELS;
    let body = rest.replacen(
        &format!("viewBox=\"0 0 {width} "),
        &format!("viewBox=\"-{MARGIN_OF_LABELS} 0 {wider} "),
        1,
    );
    let body = body.replace("font-family: Times, serif", "font-family: sans-serif");
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><svg width=\"{wider}\"{body}")
}

fn element(node: &GraphNode, start: bool) -> Element {
    let colour = match node.kind {
        "ask" => "#fff2cc",
        "say" => "#ddeeff",
        "transfer" => "#ffe0cc",
        "tool" | "lookup" => "#e2f0d9",
        "hang_up" => "#f4d6d6",
        _ => "#f7f7f7",
    };
    let mut lines = vec![format!("{} · {}", node.name, node.kind)];
    lines.extend(wrapped(&node.text));
    lines.extend(node.hangs_up.iter().map(|why| format!("hangs up: {why}")));
    boxed(&lines.join("\n"), colour, if start { 3 } else { 1 })
}

fn boxed(text: &str, colour: &str, line: usize) -> Element {
    let widest = text.lines().map(width).max().unwrap_or(1);
    // A Latin letter is a little wider than half its height.
    let across = widest as f64 * FONT as f64 * 0.56 + MARGIN;
    let down = text.lines().count() as f64 * FONT as f64 * 1.2 + MARGIN;
    let size = Point::new(across, down);
    let shape = ShapeKind::new_box(text);
    Element::create(shape, look(colour, line), Orientation::TopToBottom, size)
}

fn look(colour: &str, line: usize) -> StyleAttr {
    let fill = u32::from_str_radix(colour.trim_start_matches('#'), 16).unwrap_or(0xff_ffff);
    // The colours of this crate end in an opacity.
    StyleAttr::new(Color::fast("black"), line, Some(Color::new((fill << 8) | 0xff)), 6, FONT)
}

/// The words in a few lines, with `…` where there are more.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words(text) {
        let full = lines.last().is_some_and(|line| width(line) + width(&word) > LINE);
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(&word);
        }
    }
    if lines.len() > LINES {
        lines.truncate(LINES);
        if let Some(last) = lines.last_mut() {
            last.push('…');
        }
    }
    lines.retain(|line| !line.trim().is_empty());
    lines
}

/// Where a line may end: after a space, and between Chinese characters.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    for c in text.chars() {
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
        if c == ' ' || !c.is_ascii() {
            words.push(String::new());
        }
    }
    words
}

fn width(text: &str) -> usize {
    text.chars().map(|c| if ('\u{2e80}'..='\u{ffef}').contains(&c) { 2 } else { 1 }).sum()
}

fn flow_of(node: &GraphNode) -> &str {
    node.name.split_once('.').map_or("", |(flow, _)| flow)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn svg(name: &str, flow: Option<&str>) -> String {
        let path = format!("{}/dialplans/{name}", env!("CARGO_MANIFEST_DIR"));
        draw(&crate::dialplan::Dialplan::load(path).unwrap().graph(), flow)
    }

    #[test]
    fn a_drawing_names_every_node_and_why_calls_go_where() {
        let drawing = svg("fund-zh.yaml", None);
        for part in [
            "main.menu · ask",
            "balance.verify · lookup",
            "hangs up: callback",
            "missing",
            "at any question",
        ] {
            assert!(drawing.contains(part), "{part}");
        }
    }

    #[test]
    fn a_flow_is_drawn_with_what_it_leads_to_and_nothing_else() {
        let drawing = svg("fund-zh.yaml", Some("rent"));
        assert!(drawing.contains("rent.paid") && drawing.contains("main.more"));
        assert!(!drawing.contains("balance.verify"));
    }

    #[test]
    fn long_words_are_wrapped_and_cut_short() {
        let lines = wrapped(
            "抱歉，没听清。您要查余额、租房提取，还是问办公时间？抱歉，没听清。您要查余额、租房提取，还是问办公时间？",
        );
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| width(line) <= LINE + 2));
        assert!(lines[2].ends_with('…'));
    }
}
