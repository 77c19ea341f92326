// Makes elements. Text only ever becomes text: nothing here reads markup, so no name or message can be any.

/**
 * @param {string} name
 * @param {Record<string, string | boolean | ((event: any) => void)>} [attributes] a function listens, true is an attribute
 *     without a value, false is none
 * @param {...(Node | string)} children
 */
export function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
        if (typeof value === 'function') made.addEventListener(key, value);
        else if (value !== false) made.setAttribute(key, value === true ? '' : value);
    }
    made.append(...children);
    return made;
}

/** @param {string} label @param {() => void} press @param {Record<string, any>} [more] */
export function button(label, press, more = {}) {
    return element('button', { type: 'button', click: press, ...more }, label);
}
