type Labels = Readonly<Record<string, string>>;

export function hasLabels({ labels }: { readonly labels: Labels }, wanted: Labels): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}
