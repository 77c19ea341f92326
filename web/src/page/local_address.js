// Where to go after logging in: an address of this server, whatever the one that brought here says.

/**
 * @param {string | null} wanted
 * @param {string} origin
 * @param {string} otherwise
 */
export function localAddress(wanted, origin, otherwise) {
    if (!wanted?.startsWith('/')) return otherwise;
    try {
        const found = new URL(wanted, origin);
        // Two slashes or a backslash lead elsewhere, and browsers drop tabs and newlines before they look.
        const path = found.pathname + found.search + found.hash;
        return found.origin === origin && !path.startsWith('//') ? path : otherwise;
    } catch {
        return otherwise;
    }
}
