//! Product pictures of the demo shop, drawn when asked for.
//!
//! A picture is a function of a product's handle, type and colour: the same words give the same bytes, so it can be cached
//! for ever and nothing is stored. No word of the caller is copied into the drawing, words are only looked up or hashed.

/// Longest file name that is looked at.
const NAME_LENGTH_MAX: usize = 255;
/// The highest number behind a handle that still means "another picture of it".
const VIEW_MAX: u32 = 99;

/// Splits `<handle>.svg` or `<handle>-<n>.svg` into handle and view; `None` for any other name.
///
/// `harbour-mug.svg` is view 1, `harbour-mug-3.svg` is view 3.
pub fn parse_name(name: &str) -> Option<(&str, u32)> {
    let stem = name.strip_suffix(".svg")?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if stem.is_empty() || name.len() > NAME_LENGTH_MAX || !stem.bytes().all(plain) {
        return None;
    }
    let numbered = stem.rsplit_once('-').and_then(|(handle, digits)| {
        let view = digits.parse().ok().filter(|view| (2..=VIEW_MAX).contains(view))?;
        (!handle.is_empty() && !digits.starts_with('0')).then_some((handle, view))
    });
    Some(numbered.unwrap_or((stem, 1)))
}

/// Draws a product as SVG of less than 4 KiB.
///
/// `kind` is the product's type ("Rain jackets") and chooses what is drawn; when it says nothing the handle's words are
/// tried. `colour` is a colour's name ("Navy"); when it is none, the handle chooses and `view` turns the thing round. Named
/// colours of one product differ in nothing else, so that choosing one does not make the page jump.
pub fn svg(handle: &str, kind: &str, colour: &str, view: u32) -> String {
    let hash = hash_of(handle);
    let glyph = glyph_of(kind).or_else(|| glyph_of(handle)).unwrap_or(PARCEL);
    let named = colour_of(colour);
    let main = named.unwrap_or_else(|| pick(&MAINS, hash));
    let view = if named.is_some() { 1 } else { view };
    let scene = pick(&SCENES, (hash >> 16).wrapping_add(u64::from(view)));
    let turn = if view % 2 == 0 { r#" transform="matrix(-1 0 0 1 400 0)""# } else { "" };
    let mut drawing = format!(
        concat!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" width="800" height="800">"#,
            r#"<path d="M0 0h400v400H0z" fill="{{1}}"/>{}<path d="M0 300h400v100H0z" fill="{{3}}"/>"#,
            r#"<ellipse cx="200" cy="322" rx="116" ry="12" fill="{{k}}" opacity=".14"/><g{}>{}</g></svg>"#
        ),
        scene, turn, glyph
    );
    drawing = drawing.replace("{m}", pick(&MOTIFS, hash >> 24));
    for (name, shade) in shades(main, hash) {
        drawing = drawing.replace(name, &format!("#{shade:06x}"));
    }
    drawing
}

/// What each colour's placeholder stands for.
fn shades(main: u32, hash: u64) -> [(&'static str, u32); 13] {
    let [wall, shape, floor] = pick(&ROOMS, hash >> 8);
    let pale = luminance(main) > 185;
    // A pale thing needs a darker room to be seen in.
    let choose = |then: u32, otherwise: u32| if pale { then } else { otherwise };
    [
        ("{1}", choose(mix(shape, floor, 60), wall)),
        ("{2}", choose(wall, shape)),
        ("{3}", choose(mix(floor, INK, 12), floor)),
        ("{a}", main),
        ("{b}", mix(main, INK, 30)),
        ("{c}", choose(mix(main, INK, 16), mix(main, PAPER, 45))),
        ("{d}", pick(&ACCENTS, hash >> 32)),
        ("{f}", 0xe9a23b),
        ("{g}", LEAF),
        ("{h}", mix(LEAF, INK, 30)),
        ("{k}", INK),
        ("{s}", 0x5b4636),
        ("{w}", PAPER),
    ]
}

/// The glyph of the last word that means a thing: in "oak-desk-lamp" the lamp.
fn glyph_of(words: &str) -> Option<&'static str> {
    words.rsplit(|letter: char| !letter.is_ascii_alphabetic()).find_map(|word| {
        let word = word.to_ascii_lowercase();
        let single = word.strip_suffix('s').unwrap_or(&word);
        let means = |names: &str| names.split(' ').any(|name| name == word || name == single);
        let mut glyphs = GLYPHS.iter().filter_map(|entry| entry.split_once(": "));
        glyphs.find(|(names, _)| means(names)).map(|(_, glyph)| glyph)
    })
}

/// The shade a colour's name stands for; of several words ("Moss & Oat") the first that is known.
fn colour_of(name: &str) -> Option<u32> {
    name.split(|letter: char| !letter.is_ascii_alphabetic()).find_map(|word| {
        let known = |entry: &&str| entry.split_once(':').is_some_and(|(it, _)| it.eq_ignore_ascii_case(word));
        let (_, shade) = COLOURS.split_whitespace().find(known)?.split_once(':')?;
        u32::from_str_radix(shade, 16).ok()
    })
}

/// FNV-1a, then stirred so that all bits differ between handles that differ in their last letter.
fn hash_of(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, step);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

fn pick<T: Copy + Default>(choices: &[T], number: u64) -> T {
    let index = (number % 0x1_0000) as usize % choices.len().max(1);
    choices.get(index).copied().unwrap_or_default()
}

/// `percent` of the way from one colour to another.
fn mix(from: u32, to: u32, percent: u32) -> u32 {
    let channel = |shift: u32| {
        let (start, end) = ((from >> shift) & 255, (to >> shift) & 255);
        ((start * (100 - percent) + end * percent) / 100) << shift
    };
    channel(16) | channel(8) | channel(0)
}

/// How light a colour looks, 0 to 255.
fn luminance(colour: u32) -> u32 {
    (((colour >> 16) & 255) * 30 + ((colour >> 8) & 255) * 59 + (colour & 255) * 11) / 100
}

const INK: u32 = 0x2b2d42;
const PAPER: u32 = 0xfffaf0;
const LEAF: u32 = 0x5f8f5c;

/// Colours of things whose colour nobody named.
const MAINS: [u32; 12] = [
    0xc2553f, 0x2e6e7e, 0xd99a3c, 0x527961, 0x785e96, 0x3a5482, 0xc86f78, 0x8c6246, 0x6487a0, 0xa28c44,
    0x964254, 0x4a6562,
];

/// Wall, shape on the wall, floor.
const ROOMS: [[u32; 3]; 8] = [
    [0xf7ecde, 0xf0dbc2, 0xe0c9a8],
    [0xe5eeec, 0xcde0dc, 0xb4cec9],
    [0xf3e7eb, 0xe8d3db, 0xd6bdc9],
    [0xebefe0, 0xd8e1c5, 0xc2cea9],
    [0xe7ebf4, 0xd2d9e9, 0xb9c4da],
    [0xfaeed6, 0xf4deae, 0xe6ca94],
    [0xf0eae4, 0xe0d6cc, 0xcbbfb2],
    [0xe2f0f3, 0xc9e1e7, 0xaecdd6],
];

/// Second colours: a label, a ribbon, a flower.
const ACCENTS: [u32; 6] = [0xe8b454, 0xd66853, 0x5e948a, 0xf0e2c8, 0x586c96, 0xdb9696];

/// What stands behind the thing.
const SCENES: [&str; 5] = [
    r#"<circle cx="200" cy="180" r="146" fill="{2}"/>"#,
    r#"<path d="M64 300V190a136 136 0 0 1 272 0v110z" fill="{2}"/>"#,
    r#"<path d="M0 214q100-74 200-12t200-22v120H0z" fill="{2}"/>"#,
    r#"<path d="M56 48h288v252H56z" fill="{2}"/><path d="M200 48v252M56 168h288" stroke="{1}" stroke-width="8"/>"#,
    r#"<circle cx="300" cy="104" r="62" fill="{2}"/><path d="M0 262q120-40 400 6v40H0z" fill="{2}"/>"#,
];

/// Patterns in a box of 60 by 60 around the middle; a glyph says by `{m}` where its pattern goes.
const MOTIFS: [&str; 7] = [
    r#"<path d="M-30-18h60v9h-60zM-30 9h60v9h-60z" fill="{c}"/>"#,
    r#"<g fill="{c}"><circle cx="-18" cy="-14" r="7"/><circle cx="12" cy="-16" r="7"/><circle cx="-6" cy="8" r="7"/><circle cx="20" cy="14" r="7"/></g>"#,
    r#"<path d="M0 26C-26 8-22-18 0-28 22-18 26 8 0 26z" fill="{c}"/><path d="M0 26V-12" stroke="{b}" stroke-width="3"/>"#,
    r#"<path d="M-30-8q10-14 20 0t20 0 20 0M-30 12q10-14 20 0t20 0 20 0" fill="none" stroke="{c}" stroke-width="6"/>"#,
    r#"<circle r="21" fill="{c}"/>"#,
    r#"<path d="M0-26l20 26L0 26-20 0z" fill="{c}"/>"#,
    r#"<path d="M-24 18L0-20l24 38z" fill="{c}"/>"#,
];

/// Names of colours, light to dark within a hue.
const COLOURS: &str = "white:f6f2ea chalk:efe9dc ivory:f2e8d2 cream:f3e6c8 oat:dfcfb2 sand:d9bf94 stone:bdb3a4 \
    natural:d8c3a0 birch:e0c9a3 ash:cdb48c oak:b98a56 beech:d2a46c walnut:75503a tan:b98252 brown:7a553c umber:5f4434 \
    grey:8d939c gray:8d939c pewter:7d8488 slate:5a6672 charcoal:44484f graphite:4b4f57 black:33353b ink:2f3550 \
    navy:2f3f66 indigo:3c4380 blue:3f6ea5 denim:4a6a94 harbour:2f6072 teal:2c7a7b sky:8db8d8 mist:b7c7cd frost:cfdde2 \
    sage:9caf88 moss:6d7f45 fern:5c8a4c green:4d8256 pine:2f5d4a olive:7c7a3f bottle:2c5a45 mint:a9d3bd lime:a7bf52 \
    yellow:e6bf45 mustard:cf9a2e honey:dca53f amber:d08a2c saffron:e09a2d orange:dd7a35 brass:b8943f gold:c9a24a \
    copper:b66e46 rust:b0552f terracotta:c46a48 clay:b9735a brick:a44a3a red:c0413b cherry:ad2f3d berry:8e2f55 \
    plum:6a3a5d heather:9a85a6 lilac:b7a3cf lavender:a99cc8 rose:d68c94 pink:e0a3a8 blush:e8c4bb coral:e27d68 \
    steel:8fa0ac silver:b9c1c7 nickel:a7adb0 clear:cfe3e6";

/// Drawn when neither type nor handle says what it is.
const PARCEL: &str = r#"<path d="M106 170h188v146H106z" fill="{a}"/><path d="M96 138h208v40H96z" fill="{b}"/><path d="M186 138h28v178h-28z" fill="{d}"/><path d="M200 138c-56-54-76-8 0 0 76-8 56-54 0 0z" fill="none" stroke="{d}" stroke-width="10"/>"#;

/// Words that mean a thing, a colon, and the thing: `{a}` main, `{b}` dark, `{c}` light, `{d}` accent, `{k}` ink, `{w}` paper,
/// `{g}` and `{h}` leaves, `{s}` soil, `{f}` flame, `{m}` a pattern.
const GLYPHS: [&str; 47] = [
    r#"mug cup beaker: <path d="M246 176h26a38 38 0 0 1 0 90h-30" fill="none" stroke="{b}" stroke-width="20"/><path d="M116 146h140v128a44 44 0 0 1-44 44h-52a44 44 0 0 1-44-44z" fill="{a}"/><ellipse cx="186" cy="146" rx="70" ry="14" fill="{b}"/><g transform="translate(186 232)">{m}</g>"#,
    r#"bowl dish: <path d="M92 190h216c0 70-38 118-78 124v8h-60v-8c-40-6-78-54-78-124z" fill="{a}"/><ellipse cx="200" cy="190" rx="108" ry="22" fill="{b}"/><ellipse cx="200" cy="192" rx="92" ry="15" fill="{c}"/><g transform="translate(200 258)">{m}</g>"#,
    r#"plate platter tableware: <circle cx="200" cy="200" r="116" fill="{b}"/><circle cx="200" cy="196" r="116" fill="{a}"/><circle cx="200" cy="196" r="78" fill="{c}"/><circle cx="200" cy="196" r="72" fill="{a}"/><g transform="translate(200 196)scale(1.1)">{m}</g>"#,
    r#"jug pitcher vase carafe: <path d="M252 168c60-10 60 90-8 90" fill="none" stroke="{b}" stroke-width="17"/><path d="M150 96l100-8c-4 40-6 50 8 88 26 70-2 144-34 144h-52c-34 0-58-72-34-144 14-38 14-46 12-80z" fill="{a}"/><path d="M148 92l104-8v16l-98 8z" fill="{b}"/><g transform="translate(198 232)">{m}</g>"#,
    r#"pan skillet wok: <path d="M272 226l96-34 6 18-96 36z" fill="{k}"/><path d="M70 216h220v46a40 40 0 0 1-40 40H110a40 40 0 0 1-40-40z" fill="{a}"/><ellipse cx="180" cy="216" rx="110" ry="24" fill="{b}"/><ellipse cx="180" cy="219" rx="94" ry="17" fill="{k}" opacity=".55"/>"#,
    r#"pot casserole cookware stockpot: <path d="M60 214h40v20H60zM300 214h40v20h-40z" fill="{b}"/><path d="M88 196h224v92a30 30 0 0 1-30 30H118a30 30 0 0 1-30-30z" fill="{a}"/><path d="M84 196c14-62 218-62 232 0z" fill="{b}"/><path d="M184 126h32v22h-32z" fill="{d}"/><path d="M88 214h224v12H88z" fill="{c}"/>"#,
    r#"kettle teapot: <path d="M140 150c0-80 120-80 120 0" fill="none" stroke="{k}" stroke-width="15"/><path d="M284 236l44-60 22 10-46 96z" fill="{b}"/><path d="M104 240a96 88 0 0 1 192 0c0 50-24 80-46 80H150c-22 0-46-30-46-80z" fill="{a}"/><path d="M148 164c10-30 94-30 104 0z" fill="{b}"/><circle cx="200" cy="138" r="11" fill="{d}"/><g transform="translate(198 248)">{m}</g>"#,
    r#"knife spoon spatula board whisk utensil: <path d="M150 92h100a14 14 0 0 1 14 14v196a16 16 0 0 1-16 16h-96a16 16 0 0 1-16-16V106a14 14 0 0 1 14-14z" fill="{a}"/><circle cx="200" cy="118" r="11" fill="{b}"/><path d="M162 150v144M186 160v134M216 150v144M240 164v130" stroke="{c}" stroke-width="4"/><path d="M288 196v124" stroke="{b}" stroke-width="13"/><ellipse cx="288" cy="160" rx="22" ry="38" fill="{b}"/>"#,
    r#"tea coffee cocoa: <path d="M126 116h148l14 204H112z" fill="{a}"/><path d="M126 84h148v40H126z" fill="{b}"/><path d="M126 100h148" stroke="{c}" stroke-width="4"/><path d="M142 172h116v94H142z" fill="{w}"/><path d="M200 252c-34-14-34-46 0-66 34 20 34 52 0 66z" fill="{d}"/><path d="M200 252v-44" stroke="{k}" stroke-width="4"/>"#,
    r#"jar jam honey preserve larder chutney marmalade pickle: <path d="M130 146h140c22 20 22 40 22 60v84a30 30 0 0 1-30 30H138a30 30 0 0 1-30-30v-84c0-20 0-40 22-60z" fill="{a}"/><path d="M122 100h156v48H122z" fill="{d}"/><path d="M122 130h156v10H122z" fill="{k}" opacity=".2"/><path d="M128 196h144v82H128z" fill="{w}"/><g transform="translate(200 238)">{m}</g>"#,
    r#"biscuit tin shortbread oatcake chocolate fudge: <path d="M86 196h228v104a20 20 0 0 1-20 20H106a20 20 0 0 1-20-20z" fill="{a}"/><path d="M78 158h244v46H78z" fill="{b}"/><path d="M146 224h108v68H146z" fill="{w}"/><circle cx="186" cy="258" r="21" fill="{d}"/><circle cx="216" cy="256" r="21" fill="{d}"/><path d="M186 252v1M180 262v1M214 250v1M222 262v1" stroke="{k}" stroke-width="6" stroke-linecap="round"/>"#,
    r#"shirt tee: <path d="M150 92l-82 50 30 62 34-18v134h136V186l34 18 30-62-82-50c-18 34-82 34-100 0z" fill="{a}"/><path d="M150 92c18 34 82 34 100 0l-14-6c-16 22-56 22-72 0z" fill="{b}"/><g transform="translate(200 206)scale(1.2)">{m}</g>"#,
    r#"jumper cardigan sweater knitwear: <path d="M152 88l-70 36-26 164 50 10 26-100v122h136V198l26 100 50-10-26-164-70-36c-18 26-78 26-96 0z" fill="{a}"/><path d="M148 90c18 36 86 36 104 0l-16-14c-16 12-56 12-72 0zM132 300h136v20H132zM60 270l50 10-4 18-50-10zM340 270l-50 10 4 18 50-10z" fill="{b}"/><g transform="translate(170 196)">{m}</g><g transform="translate(230 196)">{m}</g>"#,
    r#"hat beanie cap: <circle cx="200" cy="104" r="28" fill="{c}"/><path d="M98 262c0-180 204-180 204 0z" fill="{a}"/><path d="M146 246c0-70 20-100 54-118M254 246c0-70-20-100-54-118M200 128v120" fill="none" stroke="{b}" stroke-width="5"/><path d="M86 246h228a12 12 0 0 1 12 12v40a12 12 0 0 1-12 12H86a12 12 0 0 1-12-12v-40a12 12 0 0 1 12-12z" fill="{b}"/>"#,
    r#"sock: <path d="M206 84h86v130c0 30-20 40-52 62-28 20-50 44-78 36-30-10-26-44 4-64 30-22 40-26 40-54z" fill="{b}"/><path d="M132 84h86v130c0 30-20 40-52 62-28 20-50 44-78 36-30-10-26-44 4-64 30-22 40-26 40-54z" fill="{a}"/><path d="M126 80h98v32h-98z" fill="{c}"/><path d="M88 312c-26-10-26-38-2-58l30 42c-8 8-18 16-28 16z" fill="{c}"/><g transform="translate(175 164)scale(.9)">{m}</g>"#,
    r#"boot shoe wellington: <path d="M128 84h104v126c10 30 84 30 92 70v40H128z" fill="{a}"/><path d="M128 84h104v26H128z" fill="{c}"/><path d="M120 306h210v16H120z" fill="{k}"/><path d="M232 210c10 30 84 30 92 70v8c-60-10-80-20-110-66z" fill="{b}"/><path d="M184 140h48M184 164h48M184 188h48" stroke="{d}" stroke-width="7"/>"#,
    r#"jacket coat rainwear smock anorak: <path d="M150 92l-66 36-30 168 50 12 26-92v104h140V216l26 92 50-12-30-168-66-36z" fill="{a}"/><path d="M146 98c4-40 104-40 108 0l-30 34h-48z" fill="{b}"/><path d="M200 130v190" stroke="{b}" stroke-width="7"/><path d="M144 242h40v32h-40zM216 242h40v32h-40z" fill="{b}"/><g fill="{d}"><circle cx="200" cy="164" r="7"/><circle cx="200" cy="204" r="7"/><circle cx="200" cy="290" r="7"/></g>"#,
    r#"umbrella: <path d="M200 84v200c0 44-46 44-46 8" fill="none" stroke="{k}" stroke-width="11" stroke-linecap="round"/><path d="M70 218c8-160 252-160 260 0-16-24-48-24-64 0-16-26-50-26-66 0-16-26-50-26-66 0-16-24-48-24-64 0z" fill="{a}"/><path d="M134 218c0-60 30-100 66-120 36 20 66 60 66 120-16-26-50-26-66 0-16-26-50-26-66 0z" fill="{c}"/>"#,
    r#"backpack rucksack satchel: <path d="M160 110c0-44 80-44 80 0" fill="none" stroke="{k}" stroke-width="13"/><path d="M82 210h30v80H82zM288 210h30v80h-30z" fill="{b}"/><path d="M108 160a60 60 0 0 1 60-60h64a60 60 0 0 1 60 60v134a26 26 0 0 1-26 26H134a26 26 0 0 1-26-26z" fill="{a}"/><path d="M108 176h184v14c-40 22-144 22-184 0z" fill="{b}"/><path d="M134 236h132v62H134z" fill="{c}"/><path d="M190 186h20v38h-20z" fill="{d}"/>"#,
    r#"bag tote holdall pouch: <path d="M150 180v-44c0-62 100-62 100 0v44" fill="none" stroke="{b}" stroke-width="13"/><path d="M104 162h192l18 158H86z" fill="{a}"/><path d="M104 162h192l2 18H102z" fill="{b}"/><g transform="translate(200 248)scale(1.4)">{m}</g>"#,
    r#"lamp light lantern: <path d="M148 90h104l42 104H106z" fill="{a}"/><path d="M148 90h20l-28 104h-34z" fill="{c}"/><path d="M192 194h16v106h-16z" fill="{k}"/><path d="M144 320c0-28 112-28 112 0z" fill="{b}"/><path d="M240 194v44" stroke="{d}" stroke-width="4"/><circle cx="240" cy="244" r="8" fill="{d}"/>"#,
    r#"chair: <path d="M132 84h22v150h-22zM246 84h22v150h-22z" fill="{b}"/><path d="M132 96h136v30H132zM132 146h136v22H132z" fill="{a}"/><path d="M112 220h176v28H112z" fill="{a}"/><path d="M112 240h176v10H112z" fill="{b}"/><path d="M122 250h20l-8 72h-18zM258 250h20l6 72h-18z" fill="{b}"/><path d="M128 284h144v9H128z" fill="{b}"/>"#,
    r#"stool bench table shelf: <path d="M92 166h216a14 14 0 0 1 0 30H92a14 14 0 0 1 0-30z" fill="{a}"/><path d="M112 196h24l-18 126H96zM264 196h24l16 126h-22zM190 196h20v112h-20z" fill="{b}"/><path d="M112 264h176v11H112z" fill="{b}"/><path d="M92 186h216v10H92z" fill="{c}"/>"#,
    r#"clock: <path d="M130 298l-22 26M270 298l22 26" stroke="{b}" stroke-width="16" stroke-linecap="round"/><circle cx="200" cy="202" r="118" fill="{a}"/><circle cx="200" cy="202" r="94" fill="{w}"/><path d="M200 124v14M200 266v14M122 202h14M264 202h14" stroke="{b}" stroke-width="8"/><path d="M200 202v-54" stroke="{k}" stroke-width="10" stroke-linecap="round"/><path d="M200 202l40 24" stroke="{k}" stroke-width="8" stroke-linecap="round"/><circle cx="200" cy="202" r="9" fill="{d}"/>"#,
    r#"candle taper: <path d="M200 92c24 30 24 52 0 58-24-6-24-28 0-58z" fill="{f}"/><path d="M200 150v26" stroke="{k}" stroke-width="6"/><path d="M132 172h136v134a14 14 0 0 1-14 14H146a14 14 0 0 1-14-14z" fill="{a}"/><ellipse cx="200" cy="172" rx="68" ry="13" fill="{c}"/><path d="M150 214h100v74H150z" fill="{w}"/><g transform="translate(200 251)">{m}</g>"#,
    r#"soap bath: <path d="M96 222a30 30 0 0 1 30-30h150a30 30 0 0 1 30 30v58a40 40 0 0 1-40 40H136a40 40 0 0 1-40-40z" fill="{a}"/><path d="M96 222a30 30 0 0 1 30-30h150a30 30 0 0 1 30 30c0 30-210 30-210 0z" fill="{c}"/><path d="M168 192h66v128h-66z" fill="{d}"/><g fill="{w}" opacity=".85"><circle cx="128" cy="150" r="18"/><circle cx="166" cy="118" r="12"/><circle cx="270" cy="140" r="15"/><circle cx="296" cy="108" r="9"/></g><g transform="translate(201 262)scale(.8)">{m}</g>"#,
    r#"oil balm shampoo lotion bottle wash: <path d="M176 84h48v44h-48z" fill="{k}"/><path d="M164 128h72c0 26 34 30 34 66v104a22 22 0 0 1-22 22h-96a22 22 0 0 1-22-22V194c0-36 34-40 34-66z" fill="{a}"/><path d="M130 212h140v72H130z" fill="{w}"/><g transform="translate(200 248)">{m}</g>"#,
    r#"towel napkin linen: <path d="M84 248h232v72H84z" fill="{a}"/><path d="M84 248h232v20H84z" fill="{b}"/><path d="M100 176h200a14 14 0 0 1 14 14v58H86v-58a14 14 0 0 1 14-14z" fill="{c}"/><path d="M250 176h24v72h-24zM250 248h24v72h-24z" fill="{d}"/><path d="M86 226h228v22H86z" fill="{b}" opacity=".35"/>"#,
    r#"blanket throw quilt rug: <path d="M104 84h150a40 40 0 0 1 40 40v172H144V124a40 40 0 0 0-40-40z" fill="{a}"/><path d="M104 84a40 40 0 0 1 40 40v60H76v-60c0-22 12-40 28-40z" fill="{b}"/><path d="M144 150h150v18H144zM144 186h150v8H144zM144 246h150v18H144z" fill="{c}"/><path d="M148 296v24M168 296v24M188 296v24M208 296v24M228 296v24M248 296v24M268 296v24M288 296v24" stroke="{b}" stroke-width="7"/>"#,
    r#"cushion pillow: <path d="M88 118c40 14 184 14 224 0 14 30 14 164 0 200-40-16-184-16-224 0-14-36-14-170 0-200z" fill="{a}"/><path d="M88 118c40 14 184 14 224 0-8 8-12 14-14 18-40 10-156 10-196 0-4-6-8-12-14-18z" fill="{b}"/><g transform="translate(200 222)scale(2)">{m}</g>"#,
    r#"plant houseplant seedling herb fern: <path d="M200 226c-10-70-70-70-104-116 64-8 104 30 104 116zM200 226c4-90 50-110 110-112-6 60-50 76-110 112zM196 226c-24-60-14-110 4-146 24 40 26 90 4 146z" fill="{g}"/><path d="M200 226c6-50 40-84 84-98M200 226c-14-54-44-80-80-104" fill="none" stroke="{h}" stroke-width="5"/><path d="M128 222h144l-16 98H144z" fill="{a}"/><path d="M120 206h160v28H120z" fill="{b}"/>"#,
    r#"planter trough cachepot: <path d="M110 170h180l-20 150H130z" fill="{a}"/><path d="M98 138h204v42H98z" fill="{b}"/><ellipse cx="200" cy="138" rx="102" ry="14" fill="{s}"/><path d="M200 138c-6-40-30-44-42-62 32 2 44 26 42 62zM202 138c2-30 20-46 42-50-2 26-18 38-42 50z" fill="{g}"/><g transform="translate(200 248)scale(1.3)">{m}</g>"#,
    r#"trowel fork rake spade tool secateur dibber: <path d="M140 84h24v100h-24z" fill="{d}"/><path d="M140 84h24v26h-24z" fill="{b}"/><path d="M146 184h12v26h-12z" fill="{k}"/><path d="M112 208h80c0 60-18 96-40 112-22-16-40-52-40-112z" fill="{a}"/><path d="M152 214v92" stroke="{b}" stroke-width="6"/><path d="M248 84h24v100h-24z" fill="{d}"/><path d="M248 84h24v26h-24z" fill="{b}"/><path d="M220 240v70M260 200v116M300 240v70M220 240c0-22 80-22 80 0" fill="none" stroke="{a}" stroke-width="14" stroke-linecap="round"/>"#,
    r#"watering can: <path d="M120 190c-50 0-50 90 0 96M130 190c0-70 110-70 116-4" fill="none" stroke="{b}" stroke-width="15"/><path d="M258 286l56-110 18 8-48 136z" fill="{b}"/><path d="M296 156l50 24-10 22-52-26z" fill="{d}"/><path d="M116 186h150v112a22 22 0 0 1-22 22H138a22 22 0 0 1-22-22z" fill="{a}"/><path d="M116 208h150v12H116z" fill="{c}"/>"#,
    r#"book novel atlas: <path d="M124 84h164v236H124a22 22 0 0 1-22-22V106a22 22 0 0 1 22-22z" fill="{a}"/><path d="M102 298a22 22 0 0 1 22-22h164v44H124a22 22 0 0 1-22-22z" fill="{b}"/><path d="M112 298a14 14 0 0 1 14-14h162v28H126a14 14 0 0 1-14-14z" fill="{w}"/><path d="M124 84h14v192h-14z" fill="{b}"/><path d="M164 116h98v12h-98z" fill="{d}"/><g transform="translate(213 192)scale(1.3)">{m}</g><path d="M178 248h70v8h-70z" fill="{c}"/>"#,
    r#"notebook journal diary sketchbook: <path d="M110 90h170a16 16 0 0 1 16 16v198a16 16 0 0 1-16 16H110z" fill="{a}"/><path d="M110 90h28v230h-28z" fill="{b}"/><path d="M260 90h13v230h-13z" fill="{d}"/><path d="M160 132h80v52h-80z" fill="{w}"/><path d="M172 150h56M172 166h40" stroke="{b}" stroke-width="5"/><path d="M98 118h26M98 162h26M98 206h26M98 250h26M98 292h26" stroke="{k}" stroke-width="8" stroke-linecap="round"/>"#,
    r#"pen pencil stationery nib: <g transform="rotate(24 200 200)"><path d="M150 84h34v176l-17 54-17-54z" fill="{a}"/><path d="M150 84h34v34h-34z" fill="{d}"/><path d="M150 260h34l-17 54z" fill="{w}"/><path d="M161 296h12l-6 18z" fill="{k}"/></g><g transform="rotate(-20 240 200)"><path d="M222 84h34v176l-17 54-17-54z" fill="{b}"/><path d="M222 84h34v24h-34z" fill="{c}"/><path d="M222 260h34l-17 54z" fill="{w}"/><path d="M233 296h12l-6 18z" fill="{k}"/></g>"#,
    r#"card paper envelope letter: <path d="M80 150h240v170H80z" fill="{a}"/><path d="M112 96h176v150H112z" fill="{w}"/><path d="M136 126h128M136 150h96" stroke="{c}" stroke-width="8"/><path d="M80 150l120 96 120-96v170H80z" fill="{a}"/><path d="M80 320l92-96 28 22 28-22 92 96z" fill="{b}"/><circle cx="200" cy="250" r="20" fill="{d}"/>"#,
    r#"boat: <path d="M196 84h10v160h-10z" fill="{k}"/><path d="M186 100v120H96z" fill="{w}"/><path d="M216 116v104h78z" fill="{d}"/><path d="M74 244h252l-40 72H116z" fill="{a}"/><path d="M74 244h252l-10 18H84z" fill="{b}"/><g fill="{w}"><circle cx="150" cy="288" r="9"/><circle cx="200" cy="288" r="9"/><circle cx="250" cy="288" r="9"/></g>"#,
    r#"wooden skittle: <rect x="92" y="296" width="216" height="26" rx="8" fill="{b}"/><rect x="108" y="254" width="184" height="40" rx="20" fill="{a}"/><rect x="124" y="212" width="152" height="40" rx="20" fill="{d}"/><rect x="140" y="170" width="120" height="40" rx="20" fill="{c}"/><rect x="156" y="128" width="88" height="40" rx="20" fill="{a}"/><circle cx="200" cy="104" r="25" fill="{b}"/>"#,
    r#"block: <path d="M96 236h84v86H96z" fill="{a}"/><path d="M188 236h116v86h-30a28 40 0 0 0-56 0h-30z" fill="{d}"/><path d="M132 148h120v82H132z" fill="{c}"/><path d="M112 142l80-62 80 62z" fill="{b}"/><circle cx="192" cy="190" r="18" fill="{w}"/><circle cx="138" cy="279" r="16" fill="{c}"/>"#,
    r#"whale: <path d="M70 240c-24-4-26 34-48 36" fill="none" stroke="{k}" stroke-width="5"/><path d="M268 250c46-6 56-40 48-76l-28-16c26-14 44-6 52 8 10-14 28-12 38-2-10 10-20 12-28 16 10 60-20 106-66 110z" fill="{b}"/><path d="M64 228c0-64 56-90 116-90s116 40 116 94c0 46-34 66-76 66h-98c-34 0-58-28-58-70z" fill="{a}"/><path d="M66 244c40 16 120 14 160 0-2 30-22 54-54 54h-50c-30 0-50-22-56-54z" fill="{c}"/><circle cx="112" cy="206" r="8" fill="{k}"/><g fill="{d}"><circle cx="128" cy="302" r="20"/><circle cx="228" cy="302" r="20"/></g>"#,
    r#"soft badger bear: <circle cx="136" cy="122" r="27" fill="{b}"/><circle cx="264" cy="122" r="27" fill="{b}"/><ellipse cx="200" cy="264" rx="84" ry="58" fill="{a}"/><ellipse cx="200" cy="270" rx="48" ry="40" fill="{c}"/><circle cx="200" cy="162" r="78" fill="{a}"/><path d="M184 86h32l14 120c-14 30-46 30-60 0z" fill="{w}"/><circle cx="158" cy="158" r="9" fill="{k}"/><circle cx="242" cy="158" r="9" fill="{k}"/><ellipse cx="200" cy="208" rx="17" ry="12" fill="{k}"/><circle cx="140" cy="308" r="24" fill="{b}"/><circle cx="260" cy="308" r="24" fill="{b}"/>"#,
    r#"game dice domino: <path d="M84 158l88-26 26 90-88 26z" fill="{a}"/><g fill="{w}"><circle cx="118" cy="170" r="9"/><circle cx="141" cy="190" r="9"/><circle cx="165" cy="210" r="9"/></g><path d="M178 206h112a14 14 0 0 1 14 14v86a14 14 0 0 1-14 14H178a14 14 0 0 1-14-14v-86a14 14 0 0 1 14-14z" fill="{b}"/><g fill="{w}"><circle cx="196" cy="236" r="10"/><circle cx="272" cy="236" r="10"/><circle cx="196" cy="290" r="10"/><circle cx="272" cy="290" r="10"/><circle cx="234" cy="263" r="10"/></g><path d="M262 196c-8-30 8-42 8-54a20 20 0 1 1 34 0c0 12 16 24 8 54z" fill="{d}"/>"#,
    r#"puzzle jigsaw: <path d="M92 106h96v34a22 22 0 1 1 0 42v32h-34a22 22 0 1 0-42 0H92z" fill="{a}"/><path d="M212 106h96v108h-34a22 22 0 1 1-42 0h-20v-32a22 22 0 0 0 0-42z" fill="{d}"/><path d="M92 230h30a22 22 0 1 0 42 0h24v90H92z" fill="{c}"/><path d="M212 230h20a22 22 0 1 0 42 0h34v90h-96z" fill="{b}"/>"#,
    r#"flask thermos canteen: <path d="M158 84h84v58h-84z" fill="{k}"/><path d="M164 142h72c6 16 22 18 22 40v120a18 18 0 0 1-18 18h-80a18 18 0 0 1-18-18V182c0-22 16-24 22-40z" fill="{a}"/><path d="M142 186h22v116h-22z" fill="{c}"/><path d="M142 276h116v14H142z" fill="{b}"/><g transform="translate(206 226)">{m}</g><path d="M242 96c40 0 40 52 10 52" fill="none" stroke="{d}" stroke-width="9"/>"#,
    r#"print poster frame picture map: <path d="M96 72h208v248H96z" fill="{k}"/><path d="M108 84h184v224H108z" fill="{w}"/><path d="M128 104h144v164H128z" fill="{c}"/><circle cx="236" cy="146" r="22" fill="{d}"/><path d="M128 222q36-60 72-20t72-26v92H128z" fill="{a}"/><path d="M128 244q50-30 144 0v24H128z" fill="{b}"/><path d="M160 284h80v8h-80z" fill="{c}"/>"#,
];

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// The words of each glyph, and the glyph.
    fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
        GLYPHS.iter().map(|entry| entry.split_once(": ").expect("words, a colon, a drawing"))
    }

    /// Every glyph in a colour and view that fills all placeholders, and the parcel.
    fn gallery() -> Vec<String> {
        let words = names().flat_map(|(names, _)| names.split(' ')).chain(["", "nothing"]);
        words.flat_map(|word| (0..9).map(move |n| svg(&format!("thing-{n}"), word, "Moss", n))).collect()
    }

    #[test]
    fn the_same_words_give_the_same_picture() {
        assert_eq!(svg("tide-mug", "Mugs", "Navy", 2), svg("tide-mug", "Mugs", "Navy", 2));
    }

    #[test]
    fn handle_type_colour_and_view_each_change_the_picture() {
        let base = svg("tide-mug", "Mugs", "Navy", 1);
        let plain = svg("tide-mug", "Mugs", "", 1);

        assert_ne!(base, svg("gull-mug", "Mugs", "Navy", 1));
        assert_ne!(base, svg("tide-mug", "Lamps", "Navy", 1));
        assert_ne!(base, svg("tide-mug", "Mugs", "Clay", 1));
        assert_eq!(base, svg("tide-mug", "Mugs", "Navy", 2));
        assert_ne!(plain, svg("tide-mug", "Mugs", "", 2));
    }

    #[test]
    fn every_picture_is_small_and_leaves_no_placeholder() {
        for picture in gallery() {
            assert!(picture.len() < 4096, "{} bytes: {picture}", picture.len());
            assert!(!picture.contains(['{', '}']), "{picture}");
        }
    }

    #[test]
    fn every_element_that_is_opened_is_closed() {
        for picture in gallery() {
            let mut open = Vec::new();
            for tag in picture.split('<').skip(1) {
                let (tag, text) = tag.split_once('>').expect("a tag ends");
                assert!(text.is_empty() && tag.matches('"').count() % 2 == 0, "{tag}>{text}");
                let name = tag.split(' ').next().unwrap();
                match (name.strip_prefix('/'), tag.ends_with('/')) {
                    (Some(closed), _) => assert_eq!(open.pop(), Some(closed), "{picture}"),
                    (None, true) => {}
                    (None, false) => open.push(name),
                }
            }
            assert!(open.is_empty(), "{open:?} in {picture}");
        }
    }

    #[test]
    fn each_word_of_the_table_draws_its_own_glyph() {
        for (names, glyph) in names() {
            for name in names.split(' ') {
                assert_eq!(glyph_of(name), Some(glyph), "{name}");
                assert_eq!(glyph_of(&format!("Fine {name}s")), Some(glyph), "{name}");
            }
        }
    }

    #[test]
    fn the_type_is_asked_before_the_handle_and_the_last_word_first() {
        assert_eq!(glyph_of("Rain jackets"), glyph_of("coat"));
        assert_eq!(glyph_of("oak-desk-lamp"), glyph_of("lamp"));
        assert_eq!(svg("soap-opera", "Books", "", 1), svg("soap-opera", "book", "", 1));
        assert_eq!(svg("sea-mug", "", "", 1), svg("sea-mug", "Mugs", "", 1));
        assert!(svg("unheard-of", "Whatnots", "", 1).contains("M106 170h188v146H106z"));
    }

    #[test]
    fn a_colour_is_found_whatever_its_case_and_company() {
        assert_eq!(colour_of("navy"), Some(0x2f3f66));
        assert_eq!(colour_of("Deep NAVY / Oat"), Some(0x2f3f66));
        assert_eq!(colour_of("Octarine"), None);
        assert!(COLOURS.split_whitespace().all(|entry| colour_of(entry).is_some()));
    }

    #[test]
    fn nothing_of_the_callers_words_is_in_the_drawing() {
        let evil = "\"/><script>alert({a}{m})</script>";

        let picture = svg(evil, evil, evil, u32::MAX);

        assert!(!picture.contains("script") && !picture.contains("alert"));
    }

    #[test]
    fn file_names_are_parsed_or_refused() {
        assert_eq!(parse_name("tide-mug.svg"), Some(("tide-mug", 1)));
        assert_eq!(parse_name("tide-mug-12.svg"), Some(("tide-mug", 12)));
        for whole in "tide-mug-1 tide-mug-02 tide-mug-100 tide-mug- -7 7".split(' ') {
            assert_eq!(parse_name(&format!("{whole}.svg")), Some((whole, 1)), "{whole}");
        }
        for bad in " .svg tide-mug tide-mug.png Tide.svg a/b.svg ..svg ä.svg".split(' ') {
            assert_eq!(parse_name(bad), None, "{bad}");
        }
        assert_eq!(parse_name(&format!("{}.svg", "a".repeat(252))), None);
    }
}
