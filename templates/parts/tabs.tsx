export interface Tab {
  href: string;
  label: string;
  isCurrent: boolean;
}

export function Tabs({ label, tabs }: { label: string; tabs: Tab[] }) {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map((tab) => (
        <a href={tab.href} aria-current={tab.isCurrent ? "page" : undefined}>{tab.label}</a>
      ))}
    </nav>
  );
}
