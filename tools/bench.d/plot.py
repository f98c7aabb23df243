"""Draws time against the number of services, both on logarithmic scales, as an SVG written by hand."""

import math

WIDTH, HEIGHT = 720, 460
LEFT, RIGHT, TOP, BOTTOM = 70, 130, 40, 50
# Colours that people with any colour vision tell apart (Okabe and Ito).
COLOURS = {
    "stack": "#0072b2",
    "floor": "#000000",
    "bare floor": "#888888",
    "ip + unshare": "#e69f00",
    "docker compose": "#d55e00",
    "podman": "#cc79a7",
    "mininet": "#009e73",
}


def plot(path, points):
    """`points` maps (name, N) to milliseconds."""
    if not points:
        return
    sizes = sorted({n for _, n in points})
    low = 10 ** math.floor(math.log10(min(points.values())))
    high = 10 ** math.ceil(math.log10(max(points.values())))

    def x(n):
        span = math.log(sizes[-1]) - math.log(sizes[0]) or 1
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log(n) - math.log(sizes[0])) / span

    def y(ms):
        span = math.log10(high) - math.log10(low) or 1
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (math.log10(ms) - math.log10(low)) / span

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="22" font-size="15">Time until all services answer on port 80</text>',
    ]
    decade = low
    while decade <= high:
        label = f"{decade / 1000:g} s" if decade >= 1000 else f"{decade:g} ms"
        out.append(f'<path d="M{LEFT} {y(decade):.1f}H{WIDTH - RIGHT}" stroke="#dddddd"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y(decade) + 4:.1f}" text-anchor="end">{label}</text>')
        decade *= 10
    for n in sizes:
        out.append(f'<path d="M{x(n):.1f} {HEIGHT - BOTTOM}v5" stroke="#444444"/>')
        out.append(f'<text x="{x(n):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{n}</text>')
    out.append(f'<path d="M{LEFT} {HEIGHT - BOTTOM}H{WIDTH - RIGHT}" stroke="#444444"/>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    out.append(f'<text x="{middle:.0f}" y="{HEIGHT - 10}" text-anchor="middle">services</text>')

    # Names stand at the ends of their lines, pushed apart where those are close.
    ends = []
    for name in dict.fromkeys(name for name, _ in points):
        line = [(n, points[name, n]) for n in sizes if (name, n) in points]
        colour = COLOURS.get(name, "#777777")
        path_data = "M" + "L".join(f"{x(n):.1f} {y(ms):.1f}" for n, ms in line)
        out.append(f'<path d="{path_data}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out.extend(f'<circle cx="{x(n):.1f}" cy="{y(ms):.1f}" r="3" fill="{colour}"/>' for n, ms in line)
        ends.append((y(line[-1][1]), x(line[-1][0]), name, colour))
    previous = -math.inf
    for height, right, name, colour in sorted(ends):
        height = max(height + 4, previous + 15)
        out.append(f'<text x="{right + 10:.1f}" y="{height:.1f}" fill="{colour}">{name}</text>')
        previous = height
    out.append("</svg>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")
