// Pictures and files as picture_rows.py writes them, and their previews.
const words = (count, name) => `${count.toLocaleString("en")} ${name}${count === 1 ? "" : "s"}`;
const three = number => number.toFixed(3);
const bytes = size => size < 1e3 ? words(size, "byte")
  : size < 1e6 ? `${(size / 1e3).toFixed(size < 1e4 ? 1 : 0)} kB`
  : size < 1e9 ? `${(size / 1e6).toFixed(1)} MB` : `${(size / 1e9).toFixed(1)} GB`;
const SHOWN_BY_BROWSERS = /\.(jpe?g|jfif|png|gif|webp|avif|bmp)$/i;

function readPictures(data) {
  const encoded = name => name.split("/").map(encodeURIComponent).join("/");
  const asFile = ([name, size, link, odd, path]) => ({
    name, size, odd: Boolean(odd), archived: link === "",
    link: link ?? data.links + encoded(name), path: path ?? data.given + name,
  });
  return ([width, height, sharpness, thumbnail, files]) => ({
    width, height, sharpness, files: files.map(asFile),
    thumbnail: thumbnail === null ? null : data.thumbnails[thumbnail],
  });
}

// The thumbnail, or where the page has none the file itself, if a browser shows such files.
function showPreview(element, picture) {
  const file = picture.files.find(file => file.link && SHOWN_BY_BROWSERS.test(file.name));
  const source = picture.thumbnail ?? file?.link;
  const missing = () => { element.classList.add("missing"); element.replaceChildren(); };
  if (!source) return missing();
  const image = Object.assign(new Image(), { loading: "lazy", decoding: "async", alt: "" });
  image.addEventListener("error", missing);
  image.src = source;
  element.append(image);
}
