// "On this page" also where pkgdown's own script for it can't be fetched: the pages are read without a network too.
window.addEventListener("load", () => {
  const toc = document.querySelector("#toc");
  if (!toc || toc.querySelector("ul")) return;
  const list = document.createElement("ul");
  list.className = "nav flex-column";
  for (const heading of document.querySelectorAll("main h2[id]")) {
    const link = document.createElement("a");
    link.className = "nav-link";
    link.href = `#${heading.id}`;
    link.textContent = heading.firstChild.textContent;
    list.append(link);
  }
  if (list.children.length) toc.append(list);
  else toc.remove();
});
