// xterm.js writes `<style>` elements and `style` attributes as text, which a policy without 'unsafe-inline' refuses. What it
// means is done here by the object model of CSS, which scripts of this page may use.

/** @type {WeakMap<HTMLStyleElement, CSSStyleSheet>} */
const sheets = new WeakMap();
const text = /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(Node.prototype, 'textContent'));
const remove = Element.prototype.remove;
const setAttribute = Element.prototype.setAttribute;

/** From here on, in this page. */
export function styleByScript() {
    Object.defineProperty(HTMLStyleElement.prototype, 'textContent', {
        ...text,
        set(/** @type {string} */ rules) {
            let sheet = sheets.get(this);
            if (!sheet) {
                sheet = new CSSStyleSheet();
                sheets.set(this, sheet);
                document.adoptedStyleSheets.push(sheet);
            }
            sheet.replaceSync(rules);
        },
    });
    HTMLStyleElement.prototype.remove = function () {
        const sheet = sheets.get(this);
        document.adoptedStyleSheets = document.adoptedStyleSheets.filter(each => each !== sheet);
        sheets.delete(this);
        remove.call(this);
    };
    HTMLSpanElement.prototype.setAttribute = function (name, value) {
        if (name === 'style') this.style.cssText = value;
        else setAttribute.call(this, name, value);
    };
}
