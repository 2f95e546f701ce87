// Text from elsewhere, made safe to show: nothing in it may steer the terminal.

/** Control and format characters (C0, DEL, C1, bidirectional overrides, line separators): what JSON leaves as it is. */
const steering = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** `text` with every steering character as its escape, `\u009b`. */
export function visibleText(text: string): string {
  return text.replace(steering, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** At most `columns` characters, the last of them `…` where something was cut off. */
export function truncate(text: string, columns: number): string {
  if (text.length <= columns) return text;
  const characters = Array.from(text.slice(0, 2 * columns + 2));
  if (characters.length <= columns) return text;
  return columns < 1 ? "" : `${characters.slice(0, columns - 1).join("")}…`;
}
