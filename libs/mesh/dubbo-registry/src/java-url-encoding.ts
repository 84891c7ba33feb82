/**
 * `java.net.URLEncoder`'s form, which names of nodes are written in. It is not `encodeURIComponent`'s: a space is `+`, and `! ' ( ) ~` are escaped.
 * Consumers look for texts such as `%3F` and `timestamp%3D` in names, so that names have to be written exactly so.
 */
export function encodeJavaUrl(text: string): string {
  return encodeURIComponent(text)
    .replaceAll("%20", "+")
    .replaceAll(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** @returns undefined when it is not so encoded */
export function decodeJavaUrl(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}
