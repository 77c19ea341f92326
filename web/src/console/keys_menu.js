// The keys that a browser or its system keeps for itself, as buttons behind a button.
import { button, element } from '../page/elements.js';
import { words } from '../page/words.js';

/**
 * @param {{ label: string, press: () => void }[]} keys
 * @returns {HTMLDetailsElement}
 */
export function keysMenu(keys) {
    const menu = element(
        'details', { class: 'keys', keydown: leave, focusout: close },
        element('summary', {}, words.keys),
        element('div', {}, ...keys.map(({ label, press }) => button(label, () => { menu.open = false; press(); }))),
    );

    /** @param {KeyboardEvent} event */
    function leave(event) {
        if (event.key !== 'Escape') return;
        menu.open = false;
        menu.querySelector('summary')?.focus();
    }

    /** @param {FocusEvent} event */
    function close(event) {
        if (event.relatedTarget && !menu.contains(/** @type {Node} */ (event.relatedTarget))) menu.open = false;
    }

    return menu;
}
