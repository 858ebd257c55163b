// The colours of scripts: those of `scriptkd page`. Scripts that often stand together are far apart.

export const COLOURS = {
  Latn: "#0057e7",
  Deva: "#d62d20",
  Arab: "#008744",
  Hani: "#8e24aa",
  Cyrl: "#f57c00",
  Beng: "#00acc1",
  Taml: "#e91e8c",
  Telu: "#795548",
  Hang: "#afb42b",
  Hrkt: "#3f2b96",
  Grek: "#c0a000",
  Hebr: "#26a69a",
  Thai: "#9e1b32",
  Gujr: "#5b8c00",
  Guru: "#ff6b6b",
  Knda: "#5f9bea",
  Mlym: "#b76e79",
  Orya: "#1f6b57",
  Sinh: "#b388ff",
  Khmr: "#e0674c",
  Laoo: "#557a95",
  Mymr: "#c2185b",
  Tibt: "#ffb300",
  Armn: "#4e6b2f",
  Ethi: "#a0522d",
  Geor: "#7b5ea7",
};

/** The colour of a script by its code; gray for "unknown" and for scripts without one. */
export const colour = (code) => COLOURS[code] ?? "#6e6e6e";
